-- Returns id, attempt, token, time of the last heartbeat, id, … of the running jobs.
local found = {}
local function add(id, attempt, token, heard)
  for _, value in ipairs({ id, attempt, token, heard }) do table.insert(found, value) end
end
local claims = redis.call('HGETALL', PREFIX .. 'claims')
for index = 1, #claims, 2 do
  local attempt, token, heard = string.match(claims[index + 1], '^(%S+) (%S+) (%S+)$')
  if attempt then add(claims[index], attempt, token, heard) end
end
-- Of workers of Quartet 0.1.
local leases = redis.call('ZRANGE', PREFIX .. 'leases', 0, -1, 'WITHSCORES')
for index = 1, #leases, 2 do
  local id = leases[index]
  if get(id, 'state') == 'running' then add(id, get(id, 'attempt'), get(id, 'token'), leases[index + 1]) end
end
return found
