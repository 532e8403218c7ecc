-- ARGV: id, spec, name, list, task, continues, what it says of its sweep, that sweep's name, the key of its entry, the
-- entry, then the ids of the jobs it depends on. The four about a sweep are '' for a job that retries none of a sweep.
-- Returns 'queued', 'waiting', 'exists', 'refused' with the job it depends on and that job's state, or 'retried' with
-- the job that continues the same one already.
local sweep, key, about = ARGV[8], ARGV[9], ARGV[7]
-- The sweep goes on with the job that continues one of its own, unless another one took that place: then the job is of
-- no sweep. A sweep that is not known here may be restored, and then learns of it from the job.
local counted = sweep ~= '' and has_entry(sweep, key, ARGV[6])
if sweep ~= '' and not counted and redis.call('EXISTS', sweep_key(sweep)) == 1 then about = '' end
local answer = submit(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], about, { unpack(ARGV, 11) })
if counted and (answer[1] == 'queued' or answer[1] == 'waiting') then replace_entry(sweep, key, ARGV[10]) end
return answer
