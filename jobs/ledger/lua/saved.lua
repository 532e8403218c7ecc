-- ARGV: id, how often the job had changed when its record was saved. A later change stays noted.
if redis.call('HGET', PREFIX .. 'changed', ARGV[1]) == ARGV[2] then
  redis.call('HDEL', PREFIX .. 'changed', ARGV[1])
end
return 1
