-- ARGV: id, attempt, lease in milliseconds. Returns 'lost', or the pending request: '', 'cancel' or 'hand back'.
-- A lease that ran out but was not swept may be renewed: the attempt number tells two attempts apart.
if not holds(ARGV[1], ARGV[2]) then return 'lost' end
redis.call('ZADD', PREFIX .. 'leases', now() + ARGV[3], ARGV[1])
return get(ARGV[1], 'stop')
