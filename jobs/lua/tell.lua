-- ARGV: id, attempt, text: a line of the job's timeline from the attempt that holds it.
if not holds(ARGV[1], ARGV[2]) then return 0 end
tell(ARGV[1], ARGV[3])
return 1
