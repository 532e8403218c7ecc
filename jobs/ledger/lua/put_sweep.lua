-- ARGV: name, its description, the description that it has now or ''. Begins a sweep, or replaces its description; either
-- way it runs. Returns 1, or 0 if it has another description now.
local name, key = ARGV[1], sweep_key(ARGV[1])
local spec = redis.call('HGET', key, 'spec') or ''
if spec ~= ARGV[3] and spec ~= ARGV[2] then return 0 end
if spec == ARGV[2] and redis.call('HGET', key, 'state') == 'running' then return 1 end
if spec == '' then redis.call('HSET', key, 'created', now(), 'saved', 0) end
redis.call('HSET', key, 'spec', ARGV[2], 'state', 'running')
redis.call('HDEL', key, 'ended', 'why')
redis.call('ZADD', PREFIX .. 'sweeps', 0, name)
sweep_changed(name)
wake()
return 1
