-- ARGV: id, token, values as JSON. A superseded attempt's message is dropped.
if not holds(ARGV[1], ARGV[2]) then return 0 end
redis.call('XADD', PREFIX .. 'progress:' .. ARGV[1], 'MAXLEN', '~', 200, '*', 'values', ARGV[3])
return 1
