-- ARGV: ids. Sends a message for each of these declined jobs, since a worker may understand it. Returns how many.
local sent = 0
for _, id in ipairs(ARGV) do
  if redis.call('SREM', PREFIX .. 'declined', id) == 1 and get(id, 'state') == 'queued' then
    send(id)
    sent = sent + 1
  end
end
return sent
