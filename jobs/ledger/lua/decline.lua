-- ARGV: id, token, kind of worker, why. The worker does not understand the job: it is as it was before the claim, and
-- no worker is woken until one of another kind is there; one that was asked to stop is cancelled. Returns 1, or 0 if the
-- claim does not hold the job.
local id, kind = ARGV[1], ARGV[3]
if not holds(id, ARGV[2]) then return 0 end
redis.call('HINCRBY', job_key(id), 'attempt', -1)
redis.call('HDEL', job_key(id), 'started', 'process', 'token')
if end_if_asked(id) then return 1 end
move(id, 'queued')
redis.call('SADD', PREFIX .. 'declined', id)
local whole, declined = pcall(cjson.decode, get(id, 'declined') or '{}')
if not whole or type(declined) ~= 'table' then declined = {} end
if declined[kind] ~= ARGV[4] then
  declined[kind] = ARGV[4]
  set(id, 'declined', cjson.encode(declined))
  log_event(id, get(id, 'worker') .. ' does not understand it: ' .. ARGV[4])
else -- Its message was sent twice: the claim leaves no trace, or the timeline would grow with each round.
  local timeline = PREFIX .. 'timeline:' .. id
  local last = redis.call('LINDEX', timeline, -1)
  if last and string.find(cjson.decode(last).text, 'started on ' .. get(id, 'worker'), 1, true) then
    redis.call('LTRIM', timeline, 0, -2)
  end
end
return 1
