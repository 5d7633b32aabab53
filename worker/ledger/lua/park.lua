-- park: running -> waiting; the job is asked again at its due time.
-- KEYS: meta
-- ARGV: job, token, nonce, step (JSON: wait_ms, least_wait_ms, next, retry, code, acted, in_process, pending, failed,
--       until_ms (wait no longer than this, then expire ends the run),
--       unsent (no call was made: it does not count), entry, effects; see _shared.lua for effects)
-- Reply: 'parked', or 'late' where the lease is no longer this call's: then only a suspension takes effect.
-- Again: 'parked', nothing more changes.
local job, token, nonce, step = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4])
local hash = job_key(job)
local record = fields(hash, 'state', 'token', 'nonce', 'account', 'lane', 'next')

if record.nonce ~= nonce or record.token ~= token or record.state ~= 'running' then
  if record.nonce == nonce and record.state == 'waiting' then return 'parked' end
  local effects = step.effects
  if record.account and effects.suspend then suspend(record.account, effects.generation, effects.suspend) end
  return 'late'
end

redis.call('HSET', hash, 'state', 'waiting', 'next', step.next, 'retry', step.retry, 'code', step.code or '',
  'parked_at', now)
if step.acted then redis.call('HSET', hash, 'acted', 1) end
if step.in_process then redis.call('HSET', hash, 'in_process', 1) end
if step.pending then redis.call('HSET', hash, 'pending', step.pending) end
if step.unsent and record.next == 'cancel' then redis.call('HINCRBY', hash, 'attempts', -1) end
if step.until_ms then redis.call('ZADD', key('deadlines'), now + step.until_ms, job) end
redis.call('HDEL', hash, 'lost')
redis.call('HINCRBY', hash, 'seq', 1)
remember(job, step.entry)
end_lease(job, record.account)
local due = now + step.wait_ms
local last = redis.call('ZSCORE', key('deadlines'), job)
if last then due = math.min(due, tonumber(last)) end
schedule(job, record.account, record.lane, due)
if step.failed then redis.call('ZADD', key('weather', record.account), now + step.least_wait_ms, job) end
affect(record.account, step.effects)
return 'parked'
