-- ARGV: id, state, submitted, message, attempt, then pairs of fields. Writes a job that the ledger lost.
-- Returns 1, or 0 if the ledger knows it.
local id = ARGV[1]
if redis.call('EXISTS', job_key(id)) == 1 then return 0 end
set(id, 'submitted', ARGV[3], 'message', ARGV[4], 'attempt', ARGV[5], 'lost', 0, 'stop', '', unpack(ARGV, 6))
redis.call('ZADD', PREFIX .. 'jobs', ARGV[3], id)
if ARGV[2] == 'queued' then
  queue(id, 'restored from its staging folder; queued')
else
  move(id, ARGV[2])
  log_event(id, 'restored from its folder: ' .. ARGV[2])
end
return 1
