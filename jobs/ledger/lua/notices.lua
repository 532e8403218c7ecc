-- The notices that workers send to addresses when a job or a sweep ends. jobs/ledger/scripts.py puts this before
-- common.lua.
--
-- Keys, each after PREFIX:
--   notified         set of the ids of addresses that want to know when a job or a sweep ends; notified:<id>: the events that
--                    it wants to know of; the worker that sends its messages renews this, which lasts a day
--   notices:<id>     list of the notices that wait for it, newest first, as JSON; lasts a day, too
--   notices_dropped  hash: the id of an address -> how many of its notices were dropped, since there were too many

local MOST_NOTICES, NOTICE_SECONDS = 10000, 86400

-- Note that a job or a sweep ended, for each address that wants to know of such events. Whatever somebody else wrote
-- to these keys, the transition goes on.
local function notify(event, subject, time)
  for _, address in ipairs(redis.pcall('SMEMBERS', PREFIX .. 'notified')) do
    local events, key = redis.pcall('GET', PREFIX .. 'notified:' .. address), PREFIX .. 'notices:' .. address
    if not events then
      redis.call('SREM', PREFIX .. 'notified', address)
    elseif type(events) == 'string' and string.find(events, ' ' .. event .. ' ', 1, true) then
      local text = cjson.encode({ event = event, subject = subject, time = tonumber(time) })
      local length = redis.pcall('LPUSH', key, text)
      if type(length) == 'number' then
        redis.call('EXPIRE', key, NOTICE_SECONDS)
        if length > MOST_NOTICES then
          redis.call('LTRIM', key, 0, MOST_NOTICES - 1)
          redis.pcall('HINCRBY', PREFIX .. 'notices_dropped', address, 1)
          redis.call('EXPIRE', PREFIX .. 'notices_dropped', NOTICE_SECONDS)
        end
      end
    end
  end
end

