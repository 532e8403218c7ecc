-- ARGV: most jobs. Counts the next jobs by what they are, and once all are counted, puts the result in the place of the
-- counts that each transition keeps, which may be wrong: an older version of Quartet keeps none. Returns 1 at the end,
-- 0 if there is more to count. Meanwhile each transition counts a job that had its turn in both places.
local key = PREFIX .. 'recount'
local upto = redis.pcall('HGET', key, 'upto')
if type(upto) ~= 'string' then
  redis.call('DEL', key)
  upto = ''
end
local from = upto == '' and '-' or '(' .. upto
local ids = redis.call('ZRANGEBYLEX', PREFIX .. 'jobs', from, '+', 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  local state = get(id, 'state')
  local counted = state and redis.pcall('HINCRBY', key, state .. ' ' .. kind_of(id), 1)
  if type(counted) == 'table' then -- somebody else wrote there
    redis.call('DEL', key)
    return 0
  end
end
if #ids == tonumber(ARGV[1]) then
  redis.call('HSET', key, 'upto', ids[#ids])
  return 0
end
redis.call('HDEL', key, 'upto')
local counted = redis.call('HGETALL', key)
redis.call('DEL', PREFIX .. 'counts', key)
for index = 1, #counted, 2 do redis.call('HSET', PREFIX .. 'counts', counted[index], counted[index + 1]) end
return 1
