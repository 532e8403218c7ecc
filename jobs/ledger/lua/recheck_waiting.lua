-- ARGV: the last id that was looked at, or ''. Checks the next waiting jobs again, in case a job that one of them
-- depends on ended unnoticed. Returns how many moved, and the last id, '' after the last job.
local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local ids = redis.call('ZRANGEBYLEX', PREFIX .. 'state:waiting', from, '+', 'LIMIT', 0, 100)
local moved = 0
for _, id in ipairs(ids) do
  for _, needed in ipairs(redis.call('SMEMBERS', PREFIX .. 'needs:' .. id)) do
    local state = get(needed, 'state')
    if state == 'failed' or state == 'cancelled' then
      redis.call('DEL', PREFIX .. 'needs:' .. id)
      finish(id, 'failed', dependency_error(needed, state), '', now())
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
return { moved, #ids == 100 and ids[#ids] or '' }
