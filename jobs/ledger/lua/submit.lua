-- ARGV: id, spec, name, list, message, continues, then the ids of the jobs it depends on.
-- Returns 'queued', 'waiting', 'exists', or 'refused' with the job it depends on and that job's state.
local id = ARGV[1]
if redis.call('EXISTS', job_key(id)) == 1 then
  return { get(id, 'spec') == ARGV[2] and get(id, 'state') or 'exists' }
end
local unfinished = {}
for index = 7, #ARGV do
  -- A job that the ledger does not know has succeeded: the client found its folder.
  local state = get(ARGV[index], 'state')
  if state == 'failed' or state == 'cancelled' then return { 'refused', ARGV[index], state } end
  if state and state ~= 'succeeded' then table.insert(unfinished, ARGV[index]) end
end
local time = now()
set(id, 'spec', ARGV[2], 'name', ARGV[3], 'list', ARGV[4], 'message', ARGV[5], 'continues', ARGV[6],
  'submitted', time, 'attempt', 0, 'lost', 0, 'stop', '', 'error', '', 'folder', '')
redis.call('ZADD', PREFIX .. 'jobs', time, id)
if #unfinished == 0 then
  queue(id, 'queued')
  return { 'queued' }
end
move(id, 'waiting')
for _, needed in ipairs(unfinished) do
  redis.call('SADD', PREFIX .. 'needs:' .. id, needed)
  redis.call('SADD', PREFIX .. 'dependents:' .. needed, id)
end
log_event(id, 'waiting for ' .. table.concat(unfinished, ' and '))
return { 'waiting' }
