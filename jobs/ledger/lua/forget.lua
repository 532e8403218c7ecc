-- ARGV: age in milliseconds. Removes jobs that ended longer ago and have a folder, at most 500. Returns how many.
local ids = redis.call('ZRANGEBYSCORE', PREFIX .. 'published', '-inf', now() - ARGV[1], 'LIMIT', 0, 500)
for _, id in ipairs(ids) do remove(id) end
return #ids
