-- ARGV: name. Removes a sweep that ended or was stopped; its jobs stay. Returns 1, or 0 if it runs.
local key = sweep_key(ARGV[1])
if redis.call('HGET', key, 'state') == 'running' then return 0 end
redis.call('DEL', key, entries_key(ARGV[1]))
redis.call('ZREM', PREFIX .. 'sweeps', ARGV[1])
return 1
