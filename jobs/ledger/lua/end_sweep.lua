-- ARGV: name, state, why. Ends a sweep that runs, or stops it. Returns the state before, '' for an unknown one.
local key = sweep_key(ARGV[1])
local state = redis.call('HGET', key, 'state') or ''
if state == 'running' then
  redis.call('HSET', key, 'state', ARGV[2], 'why', ARGV[3], 'ended', now())
  sweep_changed(ARGV[1])
  wake()
  notify('sweep.' .. ARGV[2], ARGV[1], now())
end
return state
