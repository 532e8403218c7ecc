-- ARGV: grace in milliseconds. Sends a message for each queued job that has none. Returns how many.
-- Messages are taken in the order of their numbers. So a queued job whose number is below that of the next message to
-- be taken from its list has none: it was lost, or a worker took it and claims the job in a moment, hence the grace.
-- A message that is lost further up is found when its turn comes. Whatever the length of the queue, this costs nothing.
local sent = 0
for _, list in ipairs(LISTS) do
  local next_message, before = redis.call('LINDEX', list_key(list), -1), '+inf'
  if next_message then
    local number = string.match(next_message, '"delivery_tag": "[%w-]+%.(%d+)"')
    local ours = number and tonumber(number) <= (tonumber(redis.call('GET', PREFIX .. 'sequence')) or 0)
    before = ours and '(' .. number or '-inf' -- a stranger's message is dropped when a worker takes it
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', PREFIX .. 'sent:' .. list, '-inf', before, 'LIMIT', 0, 500)) do
    local missing = get(id, 'missing')
    if get(id, 'state') ~= 'queued' or get(id, 'list') ~= list then
      redis.call('ZREM', PREFIX .. 'sent:' .. list, id) -- its record is gone, or damaged
    elseif not missing then
      set(id, 'missing', now())
    elseif math.abs(now() - (tonumber(missing) or 0)) >= tonumber(ARGV[1]) then
      send(id)
      log_event(id, 'message lost; sent again')
      sent = sent + 1
    end
  end
end
return sent
