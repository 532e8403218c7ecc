-- ARGV: id, folder. Records the folder of an ended job that had none. Returns 1, or 0 if the ledger lost the job.
local id = ARGV[1]
redis.call('SREM', PREFIX .. 'unpublished', id)
if not ENDED[get(id, 'state') or ''] then return 0 end
set(id, 'folder', ARGV[2])
redis.call('ZADD', PREFIX .. 'published', get(id, 'finished') or now(), id)
changed(id)
return 1
