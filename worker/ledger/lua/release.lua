-- release: queued/waiting and due -> leased; takes back what was not begun or whose call's lease has ended.
-- KEYS: meta
-- ARGV: limit (calls that this process could run now), slots (calls that it can run at all), begin_within_ms,
--       lost_wait_ms (wait after a call that was lost), worker (as registered: only accounts that it serves; '' for all)
-- Reply: { { job, token, run, calls }, ... }, { worn-out job, ... }, { { job with a damaged record, why }, ... }
-- Again: may hand out more; the lease mends it.
local slots, begin_within, lost_wait, worker = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
-- Wake-ups that nobody has fetched yet take their share.
local limit = tonumber(ARGV[1]) - redis.call('LLEN', ns .. '.run')
-- Accounts on trial may be those of a provider that hangs: they never take every slot.
local trials = math.max(1, math.floor(slots / 2)) - redis.call('SCARD', key('trials'))
local GAP_MS = 5000 -- longer without any release: Redis or every worker was away
local TURNS = 500
local released, worn, damaged = {}, {}, {}

-- Nobody could begin, park or finish during a gap, so no lease may end because of it.
local function bridge_gap()
  local last = number(redis.call('HGET', KEYS[1], 'released_at'))
  redis.call('HSET', KEYS[1], 'released_at', now)
  local gap = now - last
  if last == 0 or gap <= GAP_MS then return end
  local leases = redis.call('ZRANGE', key('leases'), 0, -1)
  for _, job in ipairs(leases) do redis.call('ZINCRBY', key('leases'), gap, job) end
end

-- A record that somebody has damaged takes no slot, and is looked at again later: it may have been mended.
local function set_aside(job, account, problem)
  damaged[#damaged + 1] = { job, problem }
  unschedule(job, account)
  redis.call('ZADD', due_key(account, 'bulk'), now + MINUTE_MS, job)
  take_turn(account, now + MINUTE_MS)
end

-- Somebody has removed its record, or its admission broke off at a damaged key.
local function forget(job, accounts)
  redis.call('ZREM', key('open'), job)
  redis.call('ZREM', key('deadlines'), job)
  for _, account in ipairs(accounts) do redis.call('ZREM', key('look_ups', account), job) end
end

-- Nobody knows what became of a call whose lease has ended.
local function lose(job, record)
  redis.call('HSET', job_key(job), 'state', 'waiting', 'lost', number(record.lost) + 1, 'parked_at', now)
  if asks_to_cancel(record) then
    doubt(job)
    redis.call('HSET', job_key(job), 'next', question(record.account))
  end
  redis.call('HDEL', job_key(job), 'nonce')
  remember(job, { call = record.next or 'cancel', reaction = 'lost', note = 'no answer before the lease ended' })
  redis.call('HINCRBY', job_key(job), 'seq', 1)
  if overrule(job, {}) then return end
  schedule(job, record, now + lost_wait)
  end_lease(job, record.account)
  if number(record.lost) + 1 >= LOST_AT_MOST then worn[#worn + 1] = job end
end

local function in_flight_of(job)
  local found = {}
  for _, account in ipairs(redis.call('SMEMBERS', key('accounts'))) do
    if is_in_flight(job, account) then found[#found + 1] = account end
  end
  return found
end

local function take_back(job)
  local record, problem = examined(job)
  local is_open = record and OPEN[record.state]
  local accounts = is_open and is_in_flight(job, record.account) and { record.account } or in_flight_of(job)
  if is_open and #accounts > 0 and accounts[1] ~= record.account then problem = 'it is of another account' end
  if is_open and not problem then
    if record.state == 'running' then lose(job, record) else put_back(job, record) end
    return
  end
  if record and not record.state then forget(job, accounts) end
  redis.call('ZREM', key('leases'), job)
  for _, account in ipairs(accounts) do
    end_lease(job, account)
    if problem then set_aside(job, account, problem) end
  end
  if problem and #accounts == 0 then damaged[#damaged + 1] = { job, problem } end
end

-- Whether a job that an account was about to release is that of another one by now.
local function is_elsewhere(job, account)
  if is_leased(job) then return true end
  for _, place in ipairs(PLACES) do
    if redis.call('ZSCORE', due_key(account, place), job) then return true end
  end
  return false
end

local function hand(choice, account)
  local job = choice.job
  local record, problem = examined(job)
  if record and record.state and record.account ~= account then
    if not OPEN[record.state] or is_elsewhere(job, record.account) then return unschedule(job, account) end
    problem = 'it is of another account'
  end
  if problem then return set_aside(job, account, problem) end
  if not record.state then forget(job, { account }) end
  if not OPEN[record.state] then return unschedule(job, account) end
  local leased_until = is_leased(job)
  if leased_until then -- its record was removed in a call, and it was submitted again
    unschedule(job, account)
    return schedule(job, record, math.max(tonumber(leased_until), now + 1000))
  end
  if record.state == 'running' then -- it was set aside in a call
    unschedule(job, account)
    return lose(job, record)
  end
  if number(record.lost) >= LOST_AT_MOST then
    worn[#worn + 1] = job
    unschedule(job, account)
    return schedule(job, record, now + MINUTE_MS)
  end
  local token = redis.call('HINCRBY', job_key(job), 'token', 1)
  -- A job whose turn came early is still due where it has to be put back.
  redis.call('HSET', job_key(job), 'handed', 1, 'due', math.min(number(record.due), now))
  hand_out(job, account, now + begin_within)
  unschedule(job, account)
  if choice.is_trial then redis.call('HSET', account_key(account), 'trial', job) end
  if choice.is_alone then
    redis.call('SADD', key('trials'), job)
    trials = trials - 1
  end
  if choice.is_failing then
    redis.call('SADD', key('failing', account), job)
    redis.call('HSET', account_key(account), 'probed', choice.is_early and 'early' or 'due')
  end
  released[#released + 1] = { job, token, tonumber(record.run), number(record.calls) }
end

local function set_turn(account, at)
  if at then redis.call('ZADD', key('turns'), at, account) else redis.call('ZREM', key('turns'), account) end
end

-- Of these accounts those that this worker serves.
local function served(accounts)
  if worker == '' or #accounts == 0 then return accounts end
  local found = {}
  for place, has in ipairs(redis.call('HMGET', key('has', worker), unpack(accounts))) do
    if has and string.sub(has, 1, 1) == '1' then found[#found + 1] = accounts[place] end
  end
  return found
end

-- The accounts that may have something for this worker, those that have waited longest first.
local function whose_turn()
  local found, passed = {}, 0
  repeat
    local some = redis.call('ZRANGEBYSCORE', key('turns'), '-inf', now, 'LIMIT', passed, TURNS)
    for _, account in ipairs(served(some)) do found[#found + 1] = account end
    passed = passed + #some
  until #some < TURNS or #found >= TURNS
  return found
end

bridge_gap()
for _, job in ipairs(redis.call('ZRANGEBYSCORE', key('leases'), '-inf', now, 'LIMIT', 0, 100)) do take_back(job) end

-- One job an account and round, so that none starves another; who was served goes behind who was not.
local turn = limit > 0 and whose_turn() or {}
while #released + #damaged < limit and #turn > 0 do
  local again = {}
  for _, account in ipairs(turn) do
    if #released + #damaged >= limit then break end
    local choice, next_at = pick(account, slots)
    if choice and choice.is_alone and trials < 1 then choice, next_at = nil, now + 100 end
    if choice then
      hand(choice, account)
      set_turn(account, now)
      again[#again + 1] = account
    else
      set_turn(account, next_at)
    end
  end
  turn = again
end
return { released, worn, damaged }
