-- Shared by all transitions. jobs/ledger/scripts.py joins this file with one of its neighbours, and Redis runs them
-- as one atomic step. The clock is Redis' own, so the clocks of workers need not agree.
--
-- LISTS, which comes before this file: the lists of messages, in the order in which a worker that takes every job
-- reads them. Keys, each after PREFIX:
--   job:<id>         hash: the job's record; its field `list` names the list of its message
--   jobs             sorted set of all ids by time of submission; state:<state>: of those in one state
--   leases           sorted set of the running jobs' ids by the time when their lease runs out
--   needs:<id>       set of the unfinished jobs that a waiting job depends on; dependents:<id>: the reverse
--   timeline:<id>    list of events as JSON
--   progress:<id>    stream of the current attempt's progress messages
--   unpublished      set of the failed jobs that have no folder yet
--   worker:<name>    what a live worker announced, as JSON

local PREFIX = 'quartet:'

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function job_key(id) return PREFIX .. 'job:' .. id end
local function get(id, field) return redis.call('HGET', job_key(id), field) or nil end
local function set(id, ...) redis.call('HSET', job_key(id), ...) end

local function log_event(id, text)
  redis.call('RPUSH', PREFIX .. 'timeline:' .. id, cjson.encode({ time = now(), text = text }))
end

local function move(id, state)
  local before = get(id, 'state')
  if before then redis.call('ZREM', PREFIX .. 'state:' .. before, id) end
  set(id, 'state', state)
  redis.call('ZADD', PREFIX .. 'state:' .. state, get(id, 'submitted'), id)
  if state ~= 'running' then redis.call('ZREM', PREFIX .. 'leases', id) end
end

-- A message is only a wake-up call. Its delivery tag must be new each time it is sent.
local function send(id)
  local tag = id .. '.' .. redis.call('HINCRBY', job_key(id), 'messages', 1)
  local message = string.gsub(get(id, 'message'), '@delivery@', tag)
  redis.call('LPUSH', get(id, 'list'), message)
  set(id, 'sent', now())
end

-- How many messages a worker that takes every job reads before one that is added to `list` now.
local function ahead_of(list)
  local count = 0
  for _, name in ipairs(LISTS) do
    count = count + redis.call('LLEN', name)
    if name == list then return count end
  end
  return count
end

local function queue(id, text)
  local ahead = ahead_of(get(id, 'list'))
  move(id, 'queued')
  if get(id, 'stop') == 'hand back' then set(id, 'stop', '') end
  redis.call('DEL', PREFIX .. 'progress:' .. id)
  send(id)
  log_event(id, text .. (ahead == 0 and '' or ahead == 1 and ' behind 1 job' or ' behind ' .. ahead .. ' jobs'))
end

-- Why a job fails when one that it depends on has ended in `state`.
local function dependency_error(needed, state)
  return 'job ' .. needed .. ', which it depends on, ' .. (state == 'failed' and 'failed' or 'was cancelled')
end

-- End a job, and update the jobs that wait for it: a waiting job is queued when the last job that it depends on has
-- succeeded, and fails when one of them did not. If `folder` is empty, the sweeper writes the failed job's folder.
local function finish(id, state, error, folder)
  local pending = { { id, state, error, folder } }
  local failing = {} -- a job that depends on two of these fails once
  while #pending > 0 do
    local job, job_state, job_error, job_folder = unpack(table.remove(pending))
    move(job, job_state)
    set(job, 'finished', now(), 'error', job_error, 'folder', job_folder, 'stop', '')
    log_event(job, job_error == '' and job_state or job_state .. ': ' .. job_error)
    if job_state == 'failed' and job_folder == '' then redis.call('SADD', PREFIX .. 'unpublished', job) end
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
    redis.call('XADD', PREFIX .. 'progress:' .. job, 'MAXLEN', '~', 200, '*', 'ended', job_state)
    redis.call('EXPIRE', PREFIX .. 'progress:' .. job, 604800)
  end
end

-- Whether `attempt` holds the job.
local function holds(id, attempt) return get(id, 'state') == 'running' and get(id, 'attempt') == attempt end
