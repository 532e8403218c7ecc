-- ARGV: id, state, submitted, attempt, name, list, task, the ids of the jobs it depends on as JSON, then pairs of
-- fields. Writes a job that the ledger lost. Returns its state, or '' if the ledger knows it.
local id, state = ARGV[1], ARGV[2]
if get(id, 'state') then return '' end
set(id, 'submitted', ARGV[3], 'attempt', ARGV[4], 'list', ARGV[6], 'task', ARGV[7], 'lost', 0)
if #ARGV > 8 then set(id, unpack(ARGV, 9)) end
redis.call('ZADD', PREFIX .. 'jobs', 0, id)
name_job(id, ARGV[5])
changed(id)
if not ENDED[state] then return wait_or_queue(id, cjson.decode(ARGV[8]), 'restored; queued') end
move(id, state)
log_event(id, 'restored: ' .. state)
if (get(id, 'folder') or '') == '' then
  redis.call('SADD', PREFIX .. 'unpublished', id)
else
  redis.call('ZADD', PREFIX .. 'published', get(id, 'finished') or now(), id)
end
return state
