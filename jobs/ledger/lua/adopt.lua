-- Brings at most 100 jobs that Quartet 0.1 submitted up to date, and the states of others that its workers moved.
-- Returns how many jobs.
local ids = redis.call('ZRANGEBYSCORE', PREFIX .. 'jobs', '(0', '+inf', 'LIMIT', 0, 100)
for _, id in ipairs(ids) do
  redis.call('ZADD', PREFIX .. 'jobs', 0, id)
  if redis.call('EXISTS', job_key(id)) == 1 then
    local task = string.match(get(id, 'message') or '', '"task": "([^"]+)"')
    if task then set(id, 'task', task) end
    redis.call('HDEL', job_key(id), 'message', 'messages', 'sent')
    name_job(id, get(id, 'name') or '')
    changed(id)
    local state = get(id, 'state')
    if state == 'queued' then redis.call('ZADD', PREFIX .. 'sent:' .. get(id, 'list'), 0, id) end
    if ENDED[state] and (get(id, 'folder') or '') == '' then redis.call('SADD', PREFIX .. 'unpublished', id) end
  end
end
for _, state in ipairs({ 'waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled' }) do
  local key = PREFIX .. 'state:' .. state
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '(0', '+inf', 'LIMIT', 0, 100)) do
    redis.call('ZADD', key, 0, id)
    local list, folder, ended = get(id, 'list'), get(id, 'folder') or '', ENDED[state]
    if state ~= 'queued' and list then redis.call('ZREM', PREFIX .. 'sent:' .. list, id) end
    if ended then changed(id) end
    if ended and folder ~= '' then redis.call('ZADD', PREFIX .. 'published', get(id, 'finished') or now(), id) end
    if ended and folder == '' then redis.call('SADD', PREFIX .. 'unpublished', id) end
  end
end
return #ids
