-- ARGV: id. Removes a job that ended and has a folder. Returns 1, 0 if it has not ended or has none.
local id, state = ARGV[1], get(ARGV[1], 'state')
if not state then return 1 end
if not ENDED[state] or redis.call('ZSCORE', PREFIX .. 'published', id) == false then return 0 end
remove(id)
return 1
