-- ARGV: worker. Asks it to hand back each job that it runs. Returns how many.
local asked = 0
for _, id in ipairs(redis.call('ZRANGE', PREFIX .. 'state:running', 0, -1)) do
  if get(id, 'worker') == ARGV[1] and get(id, 'stop') == '' then
    set(id, 'stop', 'hand back')
    asked = asked + 1
  end
end
return asked
