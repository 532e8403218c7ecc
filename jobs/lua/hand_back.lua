-- ARGV: id, attempt, reason. The worker gives the job back, its checkpoint written: no fault is counted.
local id = ARGV[1]
if not holds(id, ARGV[2]) then return 0 end
queue(id, ARGV[3] .. '; queued again')
return 1
