-- ARGV: id, token, state, error, folder, headline as JSON, time of its end. Returns 1, or 0 if the claim does not hold
-- the job.
local id = ARGV[1]
if get(id, 'state') == ARGV[3] and get(id, 'token') == ARGV[2] then return 1 end
if not holds(id, ARGV[2]) then return 0 end
if ARGV[6] ~= 'null' then set(id, 'headline', ARGV[6]) end
if ARGV[5] ~= '' then log_event(id, 'published', ARGV[7]) end
finish(id, ARGV[3], ARGV[4], ARGV[5], ARGV[7])
return 1
