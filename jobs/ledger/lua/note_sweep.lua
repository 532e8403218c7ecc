-- ARGV: name, why. Says why a sweep that runs does not go on; an empty text takes that back. Returns 1 if it was new.
local key = sweep_key(ARGV[1])
if redis.call('HGET', key, 'state') ~= 'running' or (redis.call('HGET', key, 'why') or '') == ARGV[2] then return 0 end
redis.call('HSET', key, 'why', ARGV[2])
sweep_changed(ARGV[1])
return 1
