-- Returns id, attempt, id, attempt, … of the jobs whose lease ran out.
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', PREFIX .. 'leases', '-inf', now(), 'LIMIT', 0, 1000)) do
  if get(id, 'state') == 'running' then
    table.insert(found, id)
    table.insert(found, get(id, 'attempt'))
  else
    redis.call('ZREM', PREFIX .. 'leases', id)
  end
end
return found
