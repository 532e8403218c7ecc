-- ARGV: name, token, milliseconds. Takes or extends a lock. Returns 1 if the token holds it, else 0.
local key = PREFIX .. ARGV[1]
local holder = redis.call('GET', key)
if holder and holder ~= ARGV[2] then return 0 end
redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
return 1
