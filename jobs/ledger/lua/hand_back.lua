-- ARGV: id, token, reason. The worker hands the job back after a checkpoint; this does not count as a death.
local id = ARGV[1]
if not holds(id, ARGV[2]) then return 0 end
if not end_if_asked(id) then queue(id, ARGV[3] .. '; queued again') end
return 1
