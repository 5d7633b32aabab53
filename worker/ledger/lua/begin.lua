-- begin: leased -> running, before every call. The first nonce wins.
-- KEYS: meta
-- ARGV: job, token, nonce, lease_ms
-- Reply: { 'go', now, generation, HGETALL of the record } | { 'back', why } put back uncounted | { 'drop', why }
-- Again: the same nonce is answered the same, another is dropped; so is whoever asks again after 'back'.
local job, token, nonce, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local hash = job_key(job)
local record = fields(hash, 'state', 'token', 'nonce', 'handed', 'account', 'lane', 'due', 'next', 'deadline', 'failing')

local function go()
  local generation = number(redis.call('HGET', account_key(record.account), 'generation'))
  return { 'go', now, generation, redis.call('HGETALL', hash) }
end

if not record.state then return { 'drop', 'unknown job' } end
if record.state == 'running' and record.token == token and record.nonce == nonce then return go() end
if not record.handed or record.token ~= token then return { 'drop', 'its lease is not this one' } end

local state = fields(account_key(record.account), 'suspended_at', 'hold_until', 'circuit', 'proven', 'trial',
  'max_per_minute', 'slow_until', 'slow_per_minute')

-- A probe of an open circuit is the trial, or the only failing document in a call, which may be beside the trial.
local function is_probe()
  local failing = key('failing', record.account)
  return state.trial == job or state.proven == '1' and redis.call('SISMEMBER', failing, job) == 1
    and redis.call('SCARD', failing) == 1
end

local function obstacle()
  if state.suspended_at then return 'account suspended' end
  if number(state.hold_until) > now then return 'account paused' end
  if (state.circuit or state.proven ~= '1') and not is_probe() then return 'one call at a time' end
  if asks_to_cancel(record) and record.deadline and number(record.deadline) <= now then return 'deadline reached' end
  local minute = pace(state)
  if minute and begun_lately(record.account) >= minute then return 'calls a minute used up' end
  return nil
end

local why = obstacle()
if why then
  put_back(job, record)
  return { 'back', why }
end
-- The lease first: a repeat after a refusal in the middle must not find a running call under the short lease of its release.
redis.call('ZADD', key('leases'), now + lease, job)
redis.call('HSET', hash, 'state', 'running', 'nonce', nonce, 'called_at', now)
redis.call('HDEL', hash, 'handed')
redis.call('HINCRBY', hash, 'calls', 1)
if asks_to_cancel(record) then redis.call('HINCRBY', hash, 'attempts', 1) end
redis.call('HINCRBY', hash, 'seq', 1)
no_longer_handed(job, record.account)
if pace(state) then redis.call('ZADD', key('begun', record.account), now, job .. ':' .. token) end
return go()
