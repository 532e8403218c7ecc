-- ARGV: name, state, why, when it began, its count of changes. Ends a sweep that runs, or stops it; where it is said when it
-- began, only if it is that one and has not changed since. Returns the state before, '' for an unknown one.
local key = sweep_key(ARGV[1])
local state = redis.call('HGET', key, 'state') or ''
if runs(ARGV[1], ARGV[4]) and (ARGV[4] == '' or redis.call('HGET', key, 'changes') == ARGV[5]) then
  redis.call('HSET', key, 'state', ARGV[2], 'why', ARGV[3], 'ended', now())
  sweep_changed(ARGV[1])
  wake()
  notify('sweep.' .. ARGV[2], ARGV[1], now())
end
return state
