-- Returns what there is to measure as JSON, at the same cost whatever the number of jobs: the time, how many jobs there
-- are of each kind, how many attempts were lost for each reason, how many jobs are declined and how many unpublished; of
-- each list its name, the number of its messages and since when its first job waits; of each running job its worker, its
-- kind and its latest progress. What somebody else wrote in the place of one of these hides no other.
local ask = redis.pcall

local function pairs_of(key)
  local values, found = ask('HGETALL', PREFIX .. key), {}
  for index = 1, #values, 2 do found[values[index]] = values[index + 1] end
  return found
end

-- The first jobs of a list are those whose message was sent first; some of them may have been damaged.
local function first_wait(list)
  for _, id in ipairs(ask('ZRANGE', PREFIX .. 'sent:' .. list, 0, 9)) do
    local state, queued, submitted = unpack(ask('HMGET', job_key(id), 'state', 'queued', 'submitted'))
    if state == 'queued' then return queued or submitted end
  end
  return false
end

local queues, running = {}, {}
for _, list in ipairs(LISTS) do
  table.insert(queues, { list, ask('LLEN', list_key(list)), first_wait(list) })
end
-- As many as there are workers.
for _, id in ipairs(ask('ZRANGE', PREFIX .. 'state:running', 0, 999)) do
  local whole, kind = pcall(kind_of, id)
  if whole then
    local latest = ask('XREVRANGE', PREFIX .. 'progress:' .. id, '+', '-', 'COUNT', 1)
    table.insert(running, { get(id, 'worker') or '', kind, latest[1] and latest[1][2][2] or '' })
  end
end
return cjson.encode({
  now = now(),
  counts = pairs_of('counts'),
  losses = pairs_of('losses'),
  declined = ask('SCARD', PREFIX .. 'declined'),
  unpublished = ask('SCARD', PREFIX .. 'unpublished'),
  queues = queues,
  running = running,
})
