-- ARGV: id, worker, lease in milliseconds, token, then the fields to return. Returns their values, or nothing if
-- the job is not claimable. The token makes the claim safe to repeat when its answer was lost.
local id = ARGV[1]
local function fields() return redis.call('HMGET', job_key(id), unpack(ARGV, 5)) end
if get(id, 'state') == 'running' and get(id, 'token') == ARGV[4] then return fields() end
if get(id, 'state') ~= 'queued' then return {} end
local attempt = redis.call('HINCRBY', job_key(id), 'attempt', 1)
local time = now()
move(id, 'running')
set(id, 'worker', ARGV[2], 'token', ARGV[4], 'started', time)
redis.call('ZADD', PREFIX .. 'leases', time + ARGV[3], id)
redis.call('DEL', PREFIX .. 'progress:' .. id)
log_event(id, (attempt == 1 and 'started on ' or 'attempt ' .. attempt .. ' started on ') .. ARGV[2])
return fields()
