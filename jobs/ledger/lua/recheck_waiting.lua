-- Checks each waiting job again, in case a job that it depends on ended unnoticed. Returns how many moved.
local moved = 0
for _, id in ipairs(redis.call('ZRANGE', PREFIX .. 'state:waiting', 0, -1)) do
  for _, needed in ipairs(redis.call('SMEMBERS', PREFIX .. 'needs:' .. id)) do
    local state = get(needed, 'state')
    if state == 'failed' or state == 'cancelled' then
      redis.call('DEL', PREFIX .. 'needs:' .. id)
      finish(id, 'failed', dependency_error(needed, state), '')
      moved = moved + 1
      break
    elseif not state or state == 'succeeded' then
      redis.call('SREM', PREFIX .. 'needs:' .. id, needed)
    end
  end
  if get(id, 'state') == 'waiting' and redis.call('SCARD', PREFIX .. 'needs:' .. id) == 0 then
    queue(id, 'its dependencies are ready; queued')
    moved = moved + 1
  end
end
return moved
