-- ARGV: id, worker, process, token, then the fields to return. Returns their values, or nothing if the job is not
-- claimable. The token makes the claim safe to repeat when its answer was lost.
local id, token = ARGV[1], ARGV[4]
local function fields() return redis.call('HMGET', job_key(id), unpack(ARGV, 5)) end
if holds(id, token) then return fields() end
if get(id, 'state') ~= 'queued' then return {} end
if not tonumber(get(id, 'attempt')) then set(id, 'attempt', 0) end -- a damaged record must not stall a worker
local attempt = redis.call('HINCRBY', job_key(id), 'attempt', 1)
move(id, 'running')
set(id, 'worker', ARGV[2], 'process', ARGV[3], 'token', token, 'started', now())
redis.call('HDEL', job_key(id), 'missing')
keep_claim(id, token)
redis.call('DEL', PREFIX .. 'progress:' .. id)
log_event(id, (attempt == 1 and 'started on ' or 'attempt ' .. attempt .. ' started on ') .. ARGV[2])
return fields()
