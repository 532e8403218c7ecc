-- ARGV: id, token, most losses, why, reason. The worker died: queue the job again, let it fail, or end it as cancelled if
-- it was asked to stop. Of `reason`, one of few, it is counted how often.
-- Returns the new state, or '' if that claim does not hold the job.
local id = ARGV[1]
if not holds(id, ARGV[2]) then return '' end
if not tonumber(get(id, 'lost')) then set(id, 'lost', 0) end
local lost = redis.call('HINCRBY', job_key(id), 'lost', 1)
local latest = redis.call('XREVRANGE', PREFIX .. 'progress:' .. id, '+', '-', 'COUNT', 1)
local where = ''
if latest[1] and latest[1][2][1] == 'values' then
  -- An error here would end the script between two of its writes.
  local whole, values = pcall(cjson.decode, latest[1][2][2])
  local epoch = whole and type(values) == 'table' and tonumber(values.epoch)
  if epoch then where = ' in epoch ' .. math.floor(epoch) + 1 end
end
redis.pcall('HINCRBY', PREFIX .. 'losses', ARGV[5], 1) -- a damaged count stops nothing
log_event(id, 'worker died' .. where .. ': ' .. ARGV[4])
if end_if_asked(id) then return 'cancelled' end
if lost >= tonumber(ARGV[3]) then
  local words = { 'once', 'twice', 'three times' }
  finish(id, 'failed', 'its worker died ' .. (words[lost] or lost .. ' times'), '', now())
  return 'failed'
end
queue(id, 'queued again')
return 'queued'
