-- ARGV: sweep, key of the entry, the entry, id, spec, name, list, task, continues, what the job says of its sweep, the job
-- whose place it takes in the sweep or '', when the sweep began or '', then the ids of the jobs it depends on. Returns what
-- submit.lua returns, or 'over' if that sweep does not run, or 'taken' if it has such an entry already, or has another job
-- in that place; nothing was written then.
local sweep, key, id, replaced = ARGV[1], ARGV[2], ARGV[4], ARGV[11]
local entry = redis.call('HGET', entries_key(sweep), key)
if entry == ARGV[3] then return { get(id, 'state') or 'taken' } end -- the answer was lost, and it is asked again
if replaced == '' then
  if not runs(sweep, ARGV[12]) then return { 'over' } end
  if entry then return { 'taken' } end
elseif not has_entry(sweep, key, replaced) then
  return { 'taken' }
end
local answer = submit(id, ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], { unpack(ARGV, 13) })
if answer[1] ~= 'queued' and answer[1] ~= 'waiting' then return answer end
if replaced == '' then
  redis.call('HSET', entries_key(sweep), key, ARGV[3])
  sweep_changed(sweep)
else
  replace_entry(sweep, key, ARGV[3])
end
return answer
