-- ARGV: id of an address, a notice. Puts the notice behind all others of the address. Returns 1, or 0 if it is gone.
local key = PREFIX .. 'notices:' .. ARGV[1]
if redis.call('LREM', key, -1, ARGV[2]) == 0 then return 0 end
redis.call('LPUSH', key, ARGV[2])
redis.call('EXPIRE', key, NOTICE_SECONDS)
return 1
