-- park: running -> waiting; the job is asked again at its due time.
-- KEYS: meta
-- ARGV: job, token, nonce, step (JSON: wait_ms, least_wait_ms, next, retry, code, acted, in_process, pending,
--       until_ms (wait no longer than this, then expire ends the run),
--       unsent (no call was made: it does not count), entry, effects; see shared/accounts.lua for effects)
-- Reply: 'parked', or 'late' where the lease is no longer this call's: then only a pause or a suspension takes effect. A late answer
--        that says cancelled (with `pending`) is taken all the same while no other call is under way; 'over' where the
--        run has ended otherwise (it is then kept in the history with a warning).
-- Again: the same, nothing more changes.
local job, token, nonce, step = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4])
local hash = job_key(job)
local record = fields(hash, 'state', 'token', 'nonce', 'account', 'lane', 'next', 'pending', 'failing', 'called_at')

step.effects.nonce = nonce
if record.nonce == nonce and record.state == 'waiting' then return 'parked' end
local is_ours = record.state == 'running' and record.token == token and record.nonce == nonce
if not is_ours then
  if record.account then protect(record.account, step.effects) end
  if not record.state or not step.pending or record.state == 'cancelled' then return 'late' end
  if not OPEN[record.state] then
    keep_late_word(job, nonce, step.entry)
    return 'over'
  end
  if record.state == 'running' or record.pending then return 'late' end
  redis.call('HDEL', hash, 'handed')
  unschedule(job, record.account)
end

redis.call('HSET', hash, 'state', 'waiting', 'next', step.next, 'retry', step.retry, 'code', step.code or '',
  'parked_at', now, 'nonce', nonce)
if step.acted then doubt(job) end
if step.in_process then redis.call('HSET', hash, 'in_process', 1) end
if step.pending then
  record.lane = 'evidence'
  redis.call('HSET', hash, 'pending', step.pending, 'lane', record.lane)
end
if step.unsent and asks_to_cancel(record) then redis.call('HINCRBY', hash, 'attempts', -1) end
if step.until_ms then redis.call('ZADD', key('deadlines'), now + step.until_ms, job) end
redis.call('HDEL', hash, 'lost')
redis.call('HINCRBY', hash, 'seq', 1)
remember(job, step.entry)
local account = fields(account_key(record.account), 'trial', 'row')
local row, feeds = account.row or '0', step.effects.feeds
local call = { is_on_trial = account.trial == job, was_failing = record.failing, took_ms = took_ms(record) }
end_lease(job, record.account)
mark_failing(job, record, feeds, row)
local last = tonumber(redis.call('ZSCORE', key('deadlines'), job) or math.huge)
schedule(job, record, math.min(now + step.wait_ms, last))
if feeds == 'failure' and record.failing == row then
  redis.call('ZADD', key('outage', record.account), now + step.least_wait_ms, job)
end
affect(record.account, step.effects, call)
return 'parked'
