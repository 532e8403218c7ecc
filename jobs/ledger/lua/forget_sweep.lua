-- ARGV: name, age in milliseconds. Removes a sweep that ended or was stopped longer ago, and whose file is up to date.
-- Returns 1 if it did.
local key = sweep_key(ARGV[1])
local state, ended, changes, saved = unpack(redis.call('HMGET', key, 'state', 'ended', 'changes', 'saved'))
if state == 'running' or changes ~= saved then return 0 end
if (tonumber(ended) or 0) > now() - ARGV[2] then return 0 end
redis.call('DEL', key, entries_key(ARGV[1]))
redis.call('ZREM', PREFIX .. 'sweeps', ARGV[1])
return 1
