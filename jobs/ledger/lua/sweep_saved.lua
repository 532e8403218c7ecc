-- ARGV: name, when the sweep began, a count of changes. Notes that its file was written as it was after so many. Returns 1,
-- or 0 if there is no such sweep any more.
local key = sweep_key(ARGV[1])
if redis.call('HGET', key, 'created') ~= ARGV[2] then return 0 end
redis.call('HSET', key, 'saved', ARGV[3])
return 1
