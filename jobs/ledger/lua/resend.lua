-- ARGV: grace in milliseconds. Sends a message for each queued job that has none. Returns how many.
-- While there are as many messages as queued jobs no message is read, so a long queue costs nothing.
-- A worker takes a message a moment before it claims the job, so a job must lack one for the whole grace.
local queued = redis.call('ZCARD', PREFIX .. 'state:queued')
if ahead_of(nil) >= queued then return 0 end
local present = {}
for _, list in ipairs(LISTS) do
  for _, message in ipairs(redis.call('LRANGE', list, 0, -1)) do
    local id = string.match(message, '"correlation_id": "([%w-]+)"')
    if id then present[id] = true end
  end
end
local sent = 0
for _, id in ipairs(redis.call('ZRANGE', PREFIX .. 'state:queued', 0, -1)) do
  if not present[id] then
    local missing_since = get(id, 'missing')
    if not missing_since then
      set(id, 'missing', now())
    elseif now() - missing_since >= tonumber(ARGV[1]) then
      redis.call('HDEL', job_key(id), 'missing')
      send(id)
      log_event(id, 'message lost; sent again')
      sent = sent + 1
    end
  elseif get(id, 'missing') then
    redis.call('HDEL', job_key(id), 'missing')
  end
end
return sent
