-- Shared by all transitions. jobs/ledger/scripts.py joins it with one of its neighbours, and Redis runs them
-- as one atomic step. Times are by Redis' own clock and are for people: nothing is decided by it.
--
-- NAMESPACE, LISTS and TEMPLATE, which come before this file: what each key begins with, the lists of messages, in the
-- order in which a worker that takes every job reads them, and the text of a message. Keys, each after PREFIX, which is
-- NAMESPACE and `quartet:`; a list's key is NAMESPACE and its name:
--   job:<id>         hash: the job's record; its fields `list` and `task` are those of its message,
--                    `queued` is when it was queued last
--   jobs             sorted set of all ids, each with score 0, so in the order of the ids, which begin with their time
--   state:<state>    likewise: of the jobs in one state
--   claims           hash: each running job -> attempt, token and time of the last heartbeat, with spaces between
--   sent:<list>      sorted set of the queued jobs whose message was sent to a list, by its number in `sequence`
--   needs:<id>       set of the unfinished jobs that a waiting job depends on; dependents:<id>: the reverse
--   timeline:<id>    list of events as JSON
--   progress:<id>    stream of the current attempt's progress messages
--   names            hash: each name -> the newest job that has it
--   declined         set of the queued jobs that are offered to no worker until one may understand them
--   unpublished      set of the ended jobs that have no folder yet
--   published        sorted set of the ended jobs that have one, by the time they ended
--   changed          hash: each job whose saved record is out of date -> how often it changed
--   workers          set of the names of workers; worker:<name>: what a live one announced, as JSON
--   sequence         how many messages were sent
--   counts           hash: `state action priority model` -> how many jobs are so; what is 0 has no field
--   recount          hash, while recount.lua counts anew: the same of the jobs whose id is at most its field `upto`
--   losses           hash: the reason of a lost attempt -> how many were lost so
--   sweeps           sorted set of the names of all sweeps that are known, each with score 0
--   sweep:<name>     hash: the sweep's `spec`, `state` (running, stopped, ended), `created`, `ended`, `why`; `changes`,
--                    how often it changed, and `saved`, the count at which its file was last written
--   entries:<name>   hash: the key of each job of the sweep -> what the sweep knows of it, as JSON
--   notified, notices…: which addresses get messages when a job or a sweep ends, see notices.lua
--   trials_ended     list with a time for each job of a sweep that ended lately: wakes whoever advances the sweeps
--
-- Quartet 0.1 has times as scores in `jobs` and `state:<state>`, the leases of running jobs in the sorted set `leases`,
-- and no other of the sets. adopt.lua brings its jobs up to date.

local ENDED = { succeeded = true, failed = true, cancelled = true }

local function now()
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end

local function list_key(name) return NAMESPACE .. name end
local function job_key(id) return PREFIX .. 'job:' .. id end
local function get(id, field) return redis.call('HGET', job_key(id), field) or nil end
local function set(id, ...) redis.call('HSET', job_key(id), ...) end
local function changed(id) redis.call('HINCRBY', PREFIX .. 'changed', id, 1) end
local function sweep_key(name) return PREFIX .. 'sweep:' .. name end
local function entries_key(name) return PREFIX .. 'entries:' .. name end
local function sweep_changed(name) redis.call('HINCRBY', sweep_key(name), 'changes', 1) end

-- Wake whoever advances the sweeps, and looks at all of them then.
local function wake()
  redis.call('LPUSH', PREFIX .. 'trials_ended', now())
  redis.call('LTRIM', PREFIX .. 'trials_ended', 0, 99)
end

local function log_event(id, text, time)
  redis.call('RPUSH', PREFIX .. 'timeline:' .. id, cjson.encode({ time = tonumber(time or now()), text = text }))
end

local ACTION = { train = true, evaluate = true, generate = true }
local PRIORITY = { high = true, normal = true, low = true }

-- What a job is counted as beside its state: `action priority model`.
local function kind_of(id)
  local whole, spec = pcall(cjson.decode, get(id, 'spec') or '')
  if not whole or type(spec) ~= 'table' then spec = {} end
  local action = ACTION[spec.action] and spec.action or 'unknown'
  local priority = PRIORITY[spec.priority] and spec.priority or 'normal' -- a spec has no defaults
  local named = type(spec.model) == 'string' and #spec.model <= 64 and string.match(spec.model, '^[%w_.-]+$')
  return action .. ' ' .. priority .. ' ' .. (named or 'unknown')
end

-- Add `by` jobs to what is counted in `state`. Where somebody else wrote to a count, the transition goes on: an error
-- would end it between two of its writes, and recount.lua counts anew.
local function count(id, state, kind, by)
  local function add(key)
    local after = redis.pcall('HINCRBY', key, state .. ' ' .. kind, by)
    if type(after) == 'number' and after <= 0 then redis.call('HDEL', key, state .. ' ' .. kind) end
  end
  add(PREFIX .. 'counts')
  local upto = redis.pcall('HGET', PREFIX .. 'recount', 'upto')
  if type(upto) == 'string' and id <= upto then add(PREFIX .. 'recount') end
end

local function move(id, state)
  local before, kind = get(id, 'state'), kind_of(id)
  if before then
    redis.call('ZREM', PREFIX .. 'state:' .. before, id)
    count(id, before, kind, -1)
  end
  set(id, 'state', state)
  redis.call('ZADD', PREFIX .. 'state:' .. state, 0, id)
  count(id, state, kind, 1)
  if state ~= 'running' then
    redis.call('HDEL', PREFIX .. 'claims', id)
    redis.call('ZREM', PREFIX .. 'leases', id)
  end
  if state ~= 'queued' then
    redis.call('ZREM', PREFIX .. 'sent:' .. (get(id, 'list') or ''), id)
    redis.call('SREM', PREFIX .. 'declined', id)
  end
end

local ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

-- Base64 of a text whose length is a multiple of three, as that of an id is.
local function base64(text)
  return (string.gsub(text, '(.)(.)(.)', function(a, b, c)
    local bits = a:byte() * 65536 + b:byte() * 256 + c:byte()
    local digits = ''
    for _ = 1, 4 do
      digits = ALPHABET:sub(bits % 64 + 1, bits % 64 + 1) .. digits
      bits = math.floor(bits / 64)
    end
    return digits
  end))
end

local function message(id, number)
  local list, values = get(id, 'list'), {}
  local task = get(id, 'task') or string.match(get(id, 'message') or '', '"task": "([^"]+)"')
  local queue, priority = string.match(list, '^(.-)\6\22(%d+)$')
  values.id, values.id64, values.task, values.tag = id, base64(id), task, id .. '.' .. number
  values.queue, values.priority = queue or list, priority or '0'
  return (string.gsub(TEMPLATE, '@(%w+)@', values))
end

-- A message is only a wake-up call. Its delivery tag must be new each time it is sent.
local function send(id)
  local number = string.format('%.0f', redis.call('INCR', PREFIX .. 'sequence'))
  redis.call('LPUSH', list_key(get(id, 'list')), message(id, number))
  redis.call('ZADD', PREFIX .. 'sent:' .. get(id, 'list'), number, id)
  redis.call('SREM', PREFIX .. 'declined', id)
  redis.call('HDEL', job_key(id), 'missing')
end

-- How many messages a worker that takes every job reads before one that is added to `list` now.
local function ahead_of(list)
  local count = 0
  for _, name in ipairs(LISTS) do
    count = count + redis.call('LLEN', list_key(name))
    if name == list then return count end
  end
  return count
end

local function queue(id, text)
  local ahead = ahead_of(get(id, 'list'))
  move(id, 'queued')
  set(id, 'queued', now())
  redis.call('DEL', PREFIX .. 'progress:' .. id)
  send(id)
  log_event(id, text .. (ahead == 0 and '' or ahead == 1 and ' behind 1 job' or ' behind ' .. ahead .. ' jobs'))
end

-- Why a job fails when one that it depends on has ended in `state`.
local function dependency_error(needed, state)
  return 'job ' .. needed .. ', which it depends on, ' .. (state == 'failed' and 'failed' or 'was cancelled')
end

-- End a job, and update the jobs that wait for it: a waiting job is queued when the last job that it depends on has
-- succeeded, and fails when one of them did not. If `folder` is empty, the sweeper writes the job's folder.
local function finish(id, state, error, folder, finished)
  local pending = { { id, state, error, folder } }
  local failing = {} -- a job that depends on two of these fails once
  while #pending > 0 do
    local job, job_state, job_error, job_folder = unpack(table.remove(pending))
    move(job, job_state)
    set(job, 'finished', finished)
    if job_error ~= '' then set(job, 'error', job_error) end
    redis.call('HDEL', job_key(job), 'list', 'task', 'process', 'stop', 'why_stopped', 'missing', 'queued')
    log_event(job, job_error == '' and job_state or job_state .. ': ' .. job_error, finished)
    if job_folder == '' then
      redis.call('SADD', PREFIX .. 'unpublished', job)
    else
      set(job, 'folder', job_folder)
      redis.call('ZADD', PREFIX .. 'published', finished, job)
    end
    changed(job)
    if get(job, 'sweep') then wake() end
    notify((get(job, 'sweep') and 'trial.' or 'job.') .. job_state, job, now())
    for _, dependent in ipairs(redis.call('SMEMBERS', PREFIX .. 'dependents:' .. job)) do
      redis.call('SREM', PREFIX .. 'needs:' .. dependent, job)
      if get(dependent, 'state') == 'waiting' and not failing[dependent] then
        if job_state ~= 'succeeded' then
          redis.call('DEL', PREFIX .. 'needs:' .. dependent)
          failing[dependent] = true
          table.insert(pending, { dependent, 'failed', dependency_error(job, job_state), '' })
        elseif redis.call('SCARD', PREFIX .. 'needs:' .. dependent) == 0 then
          queue(dependent, 'job ' .. job .. ' succeeded; queued')
        end
      end
    end
    redis.call('DEL', PREFIX .. 'dependents:' .. job)
    -- Whoever watches the job waits for this; a minute later nobody does. It takes the place of all others rather than
    -- begin a new stream, where one of the same millisecond would have a lower id than the last that was read.
    -- Whatever somebody else wrote there, the job ends.
    redis.pcall('XADD', PREFIX .. 'progress:' .. job, 'MAXLEN', 1, '*', 'ended', job_state)
    redis.call('EXPIRE', PREFIX .. 'progress:' .. job, 60)
  end
end

-- End a job that its worker no longer has if it was asked to stop, since it has no more to do. Returns whether it was.
local function end_if_asked(id)
  if get(id, 'stop') ~= 'cancel' then return false end
  finish(id, 'cancelled', get(id, 'why_stopped') or '', '', now())
  return true
end

-- Whether the claim with this token holds the job.
local function holds(id, token)
  return token ~= '' and get(id, 'state') == 'running' and get(id, 'token') == token
end

local function keep_claim(id, token)
  redis.call('HSET', PREFIX .. 'claims', id, get(id, 'attempt') .. ' ' .. token .. ' ' .. now())
end

-- A job waits for those of `needed` that have not succeeded; without any it is queued.
local function wait_or_queue(id, needed, text)
  local unfinished = {}
  for _, other in ipairs(needed) do
    -- A job that the ledger does not know has succeeded: the client found its folder.
    local state = get(other, 'state')
    if state and state ~= 'succeeded' then table.insert(unfinished, other) end
  end
  if #unfinished == 0 then
    queue(id, text)
    return 'queued'
  end
  move(id, 'waiting')
  for _, other in ipairs(unfinished) do
    redis.call('SADD', PREFIX .. 'needs:' .. id, other)
    redis.call('SADD', PREFIX .. 'dependents:' .. other, id)
  end
  log_event(id, 'waiting for ' .. table.concat(unfinished, ' and '))
  return 'waiting'
end

-- Name a job: the newest job that has a name is meant by it.
local function name_job(id, name)
  if name == '' then return end
  set(id, 'name', name)
  local newest = redis.call('HGET', PREFIX .. 'names', name)
  if not newest or newest < id then redis.call('HSET', PREFIX .. 'names', name, id) end
end

-- Write a new job as `submit` and `submit_trial` do. `needed` are the ids of the jobs it depends on, `sweep` is what its
-- record says of its sweep, or ''. Returns what submit.lua returns.
local function submit(id, spec, name, list, task, continues, sweep, needed)
  if redis.call('EXISTS', job_key(id)) == 1 then
    return { get(id, 'spec') == spec and get(id, 'state') or 'exists' }
  end
  for _, other in ipairs(needed) do
    local state = get(other, 'state')
    if state == 'failed' or state == 'cancelled' then return { 'refused', other, state } end
  end
  local before = continues ~= '' and get(continues, 'state')
  local again = before and get(continues, 'retried')
  if again and get(again, 'spec') == spec and get(again, 'spec') == get(continues, 'spec') then
    local state = get(again, 'state')
    if state ~= 'failed' and state ~= 'cancelled' then return { 'retried', again } end
  end
  ahead_of(list) -- an error here, for a key that is no list, comes before the first write
  set(id, 'spec', spec, 'list', list, 'task', task, 'submitted', now(), 'attempt', 0, 'lost', 0)
  if continues ~= '' then set(id, 'continues', continues) end
  if sweep ~= '' then set(id, 'sweep', sweep) end
  redis.call('ZADD', PREFIX .. 'jobs', 0, id)
  name_job(id, name)
  changed(id)
  if before == 'failed' or before == 'cancelled' then
    set(continues, 'retried', id)
    changed(continues)
  end
  return { wait_or_queue(id, needed, 'queued') }
end

-- Whether a sweep runs that began at this time, or at whatever time where that is '': another may have its name by now.
local function runs(sweep, began)
  local state, created = unpack(redis.call('HMGET', sweep_key(sweep), 'state', 'created'))
  return state == 'running' and (began == '' or began == created)
end

-- Whether a sweep's entry of this key is that of job `id`.
local function has_entry(sweep, key, id)
  local entry = redis.call('HGET', entries_key(sweep), key)
  return entry and string.find(entry, '"' .. id .. '"', 1, true) and true or false
end

-- Put another job in the place of one of a sweep, which goes on with it if it had ended; one that was stopped does not.
local function replace_entry(sweep, key, entry)
  redis.call('HSET', entries_key(sweep), key, entry)
  if redis.call('HGET', sweep_key(sweep), 'state') == 'ended' then
    redis.call('HSET', sweep_key(sweep), 'state', 'running')
    redis.call('HDEL', sweep_key(sweep), 'ended', 'why')
  end
  sweep_changed(sweep)
  wake()
end

-- Remove all that is known of a job that ended and has a folder.
local function remove(id)
  local name, state = get(id, 'name') or '', get(id, 'state') or ''
  if name ~= '' and redis.call('HGET', PREFIX .. 'names', name) == id then
    redis.call('HDEL', PREFIX .. 'names', name)
  end
  if state ~= '' then count(id, state, kind_of(id), -1) end
  redis.call('ZREM', PREFIX .. 'jobs', id)
  redis.call('ZREM', PREFIX .. 'state:' .. state, id)
  redis.call('ZREM', PREFIX .. 'published', id)
  redis.call('DEL', job_key(id), PREFIX .. 'timeline:' .. id, PREFIX .. 'progress:' .. id)
end
