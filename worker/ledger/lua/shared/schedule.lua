-- When a job is due, and by whom it is held.

-- A failing job (see shared/circuit.lua) waits apart from the others of its lane.
local FAILING = ':failing'
local PLACES = {}
for _, lane in ipairs(LANES) do
  PLACES[#PLACES + 1] = lane
  PLACES[#PLACES + 1] = lane .. FAILING
end

local function due_key(account, place) return key('due', account, place) end
local function place_of(record) return record.failing and record.lane .. FAILING or record.lane end

-- From `at` on the account may have something to release.
local function take_turn(account, at) redis.call('ZADD', key('turns'), 'LT', at, account) end

-- record: account, lane, failing.
local function schedule(job, record, due)
  redis.call('HSET', job_key(job), 'due', due)
  redis.call('ZADD', due_key(record.account, place_of(record)), due, job)
  if record.failing then redis.call('HSET', account_key(record.account), 'failing', 1) end
  take_turn(record.account, due)
end

local function unschedule(job, account)
  local of_failing = { key('outage', account), key('recovery', account) }
  for _, lane in ipairs(LANES) do
    redis.call('ZREM', due_key(account, lane), job)
    of_failing[#of_failing + 1] = due_key(account, lane .. FAILING)
  end
  if redis.call('EXISTS', unpack(of_failing)) == 0 then return end
  for _, waiting in ipairs(of_failing) do redis.call('ZREM', waiting, job) end
end

-- A lease is handed out by release, begun by begin, and ends with park, finish or its time.
local function hand_out(job, account, until_ms)
  redis.call('ZADD', key('leases'), until_ms, job)
  redis.call('SADD', key('flight', account), job)
  if redis.call('SADD', key('handed'), job) == 1 then redis.call('HINCRBY', account_key(account), 'handed', 1) end
end

local function no_longer_handed(job, account)
  if redis.call('SREM', key('handed'), job) == 1 then redis.call('HINCRBY', account_key(account), 'handed', -1) end
end

local function is_in_flight(job, account) return redis.call('SISMEMBER', key('flight', account), job) == 1 end

-- Whose slot a job holds: that of another account where its record was removed in a call, and it was submitted again.
local function holder_of(job, account)
  if is_in_flight(job, account) then return account end
  if redis.call('ZSCORE', key('leases'), job) then
    for _, other in ipairs(redis.call('SMEMBERS', key('accounts'))) do
      if is_in_flight(job, other) then return other end
    end
  end
  return account
end

local function end_lease(job, account)
  local holder = holder_of(job, account)
  no_longer_handed(job, holder)
  redis.call('ZREM', key('leases'), job)
  redis.call('SREM', key('flight', holder), job)
  redis.call('SREM', key('trials'), job)
  local state = fields(account_key(holder), 'trial', 'older_trial', 'failing')
  if state.trial == job then redis.call('HDEL', account_key(holder), 'trial') end
  if state.older_trial == job then redis.call('HDEL', account_key(holder), 'older_trial') end
  if state.failing then redis.call('SREM', key('failing', holder), job) end
  take_turn(holder, now)
  if holder ~= account then take_turn(account, now) end
end

-- From now on one call at a time, until one that begins from now on is answered: an older call proves nothing new,
-- but a trial that is under way is waited for, so that ten workers that start at once do not try ten times at once.
local function put_on_trial(account)
  local hash = account_key(account)
  local trial = redis.call('HGET', hash, 'trial')
  redis.call('HSET', hash, 'proven', 0)
  redis.call('HDEL', hash, 'trial')
  local record = trial and examined(trial)
  if record and record.state == 'running' then
    redis.call('HSET', hash, 'older_trial', trial)
  end
end

-- Put a released job back as if it had not been released. First into its lane: a script that is refused in the middle
-- leaves a job that is in both, and none that is in neither.
local function put_back(job, record)
  schedule(job, record, number(record.due))
  redis.call('HDEL', job_key(job), 'handed')
  end_lease(job, record.account)
end
