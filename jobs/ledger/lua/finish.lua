-- ARGV: id, attempt, state, error, folder, headline as JSON. Returns 1, or 0 if another attempt holds the job.
local id = ARGV[1]
if get(id, 'state') == ARGV[3] and get(id, 'attempt') == ARGV[2] then return 1 end
if not holds(id, ARGV[2]) then return 0 end
set(id, 'headline', ARGV[6])
if ARGV[5] ~= '' then log_event(id, 'published') end
finish(id, ARGV[3], ARGV[4], ARGV[5])
return 1
