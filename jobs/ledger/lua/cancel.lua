-- ARGV: id, why or ''. Returns the state before, '' for an unknown job. A running job gets a request to stop; one that has
-- not started ends here, and takes its message along.
local id, why = ARGV[1], ARGV[2]
local state = get(id, 'state')
if state == 'waiting' or state == 'queued' then
  local list = get(id, 'list')
  local number = redis.call('ZSCORE', PREFIX .. 'sent:' .. list, id)
  if number then redis.call('LREM', list_key(list), 0, message(id, string.format('%.0f', number))) end
  redis.call('DEL', PREFIX .. 'needs:' .. id)
  if why == '' and get(id, 'attempt') == '0' then why = 'it had not started' end
  finish(id, 'cancelled', why, '', now())
elseif state == 'running' and get(id, 'stop') ~= 'cancel' then
  set(id, 'stop', 'cancel')
  if why ~= '' then set(id, 'why_stopped', why) end
  log_event(id, why == '' and 'stop requested' or 'stop requested: ' .. why)
end
return state or ''
