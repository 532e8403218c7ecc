-- ARGV: sweep, key of the entry, the entry, when the sweep began. Adds a job that had succeeded before. Returns 'added',
-- or 'over' or 'taken' as submit_trial.lua does.
local entry = redis.call('HGET', entries_key(ARGV[1]), ARGV[2])
if entry == ARGV[3] then return 'added' end
if not runs(ARGV[1], ARGV[4]) then return 'over' end
if entry then return 'taken' end
redis.call('HSET', entries_key(ARGV[1]), ARGV[2], ARGV[3])
sweep_changed(ARGV[1])
return 'added'
