-- park: running -> waiting; the job is asked again at its due time.
-- KEYS: meta
-- ARGV: job, token, nonce, step (JSON: wait_ms, least_wait_ms, next, retry, code, acted, claimed, disproved, in_process,
--       pending, until_ms (wait no longer than this, then expire ends the run),
--       unsent (no call was made: it does not count), entry, effects; see shared/accounts.lua for effects)
-- Reply: 'parked'; 'overruled' where a late answer to an earlier call has said cancelled meanwhile and decides instead.
--        Of a call that holds the job no more: 'parked' where it says cancelled (with `pending`), the job is open and no
--        newer call holds it; 'kept' where one does (it decides once that call is over); 'over' where the run has ended
--        otherwise (it is kept in the history with a warning); else 'late': only a pause or a suspension takes effect.
-- Again: the same, nothing more changes.
local job, token, nonce, step = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4])
local hash = job_key(job)
local record = fields(hash, 'state', 'token', 'nonce', 'account', 'lane', 'next', 'pending', 'failing', 'called_at', 'kept',
  'overruled', 'late_ending', 'late_step')
local is_ours = record.state == 'running' and record.token == token and record.nonce == nonce
step.effects.nonce = nonce

-- What becomes of an answer that comes too late; nil where the job waits for its evidence all the same.
local function late()
  if record.kept == nonce then return 'kept' end
  if record.account then protect(record.account, step.effects) end
  local is_news = step.pending and record.state and record.state ~= 'cancelled'
  if not is_news then return 'late' end
  if not OPEN[record.state] then
    keep_late_word(job, nonce, step.entry)
    return 'over'
  end
  if record.pending then return 'late' end
  if record.state ~= 'running' then return nil end
  if record.late_ending or record.late_step then return 'kept' end -- that of another late answer
  keep_late_answer(job, nonce, step.entry, { late_step = ARGV[4] })
  affect(record.account, step.effects, { was_failing = record.failing, took_ms = 0 })
  return 'kept'
end

if record.overruled == nonce then return 'overruled' end
if record.nonce == nonce and record.state == 'waiting' then return 'parked' end
if not is_ours then
  local reply = late()
  if reply then return reply end
  redis.call('HDEL', hash, 'handed')
  unschedule(job, record.account)
end

local account = fields(account_key(record.account), 'trial', 'row')
local row, feeds = account.row or '0', step.effects.feeds
local call = { is_on_trial = account.trial == job, was_failing = record.failing, took_ms = took_ms(record) }
local uncounted = is_ours and step.unsent and asks_to_cancel(record) and 1 or nil
if is_ours and overrule(job, { nonce = nonce, entry = step.entry, uncounted = uncounted, pending = step.pending }) then
  affect(record.account, step.effects, call)
  return 'overruled'
end
-- Into its lane before anything that a repeat takes for done: a script that is refused in the middle loses no job.
if step.pending then record.lane = 'evidence' end
mark_failing(job, record, feeds, row)
local last = step.until_ms and now + step.until_ms or tonumber(redis.call('ZSCORE', key('deadlines'), job) or math.huge)
local due = last > now and math.min(now + step.wait_ms, last) or now + step.wait_ms
schedule(job, record, due)
remember_step(job, record, step)
redis.call('HSET', hash, 'nonce', nonce)
if uncounted then redis.call('HINCRBY', hash, 'attempts', -uncounted) end
end_lease(job, record.account)
if feeds == 'failure' and record.failing == row then
  redis.call('ZADD', key('outage', record.account), now + step.least_wait_ms, job)
end
affect(record.account, step.effects, call)
return 'parked'
