-- ARGV: id, token, text. Adds an event to the job's timeline if this claim holds the job.
if not holds(ARGV[1], ARGV[2]) then return 0 end
log_event(ARGV[1], ARGV[3])
return 1
