-- ARGV: name, description, state, created, ended, why, then pairs of an entry's key and the entry. Writes a sweep that the
-- ledger does not know. Returns 1, or 0 if it knows it.
local name, key = ARGV[1], sweep_key(ARGV[1])
if redis.call('HGET', key, 'spec') then return 0 end -- `saved` alone may be left of a deleted one
redis.call('HSET', key, 'spec', ARGV[2], 'state', ARGV[3], 'created', ARGV[4], 'ended', ARGV[5], 'why', ARGV[6], 'saved', 0)
redis.call('DEL', entries_key(name))
for index = 7, #ARGV, 2 do redis.call('HSET', entries_key(name), ARGV[index], ARGV[index + 1]) end
redis.call('ZADD', PREFIX .. 'sweeps', 0, name)
sweep_changed(name)
wake()
return 1
