-- ARGV: id. Returns the state before. A running job gets a request to stop; one that has not started ends here.
local state = get(ARGV[1], 'state')
if state == 'waiting' or state == 'queued' then
  redis.call('DEL', PREFIX .. 'needs:' .. ARGV[1])
  finish(ARGV[1], 'cancelled', get(ARGV[1], 'attempt') == '0' and 'it had not started' or '', '')
elseif state == 'running' and get(ARGV[1], 'stop') ~= 'cancel' then
  set(ARGV[1], 'stop', 'cancel')
  log_event(ARGV[1], 'stop requested')
end
return state
