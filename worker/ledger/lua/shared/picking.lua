-- Which job of an account release hands out next.
-- Failing jobs (see shared/circuit.lua) come from a share of their own: they neither hold up the others nor tell by
-- themselves that the provider is away. Where only one call at a time is allowed, one that is not failing goes first.
local SHARE_OF_PACE = 3 -- of a limited number of calls a minute, every so many may be a failing document's while others are due
local FEW_SLOTS = 3 -- fewer, and one of them is too many for failing documents to have all the time while others are due

local function first(set)
  local found = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
  return found[1], tonumber(found[2])
end

local function sooner(one, other)
  if one and other then return math.min(one, other) end
  return one or other
end

local function is_leased(job) return job and redis.call('ZSCORE', key('leases'), job) end

-- The job of each lane that is due first, by lane, and when the next one is; what: '' or FAILING.
local function due_in(account, what)
  local due, next_at = {}, nil
  for _, lane in ipairs(LANES) do
    local job, at = first(due_key(account, lane .. what))
    if job and at <= now then due[lane] = job else next_at = sooner(next_at, at) end
  end
  return due, next_at
end

-- How many failing jobs are in a call; what holds no lease any more is forgotten.
local function failing_calls(account)
  local count = 0
  for _, job in ipairs(redis.call('SMEMBERS', key('failing', account))) do
    if is_leased(job) then count = count + 1 else redis.call('SREM', key('failing', account), job) end
  end
  return count
end

-- The jobs that failed only because of an outage that is over need not wait out their long pauses.
local function bring_forward(account)
  local recovery = key('recovery', account)
  for _, job in ipairs(redis.call('ZRANGEBYSCORE', recovery, '-inf', now, 'LIMIT', 0, 100)) do
    for _, lane in ipairs(LANES) do redis.call('ZADD', due_key(account, lane .. FAILING), 'XX', 'LT', now, job) end
    redis.call('ZREM', recovery, job)
  end
end

-- The failing jobs that are due, by lane. In an outage also one of those that wait because of it (`early`), because their
-- pauses may be long; in turn with those that are due, so that neither has to wait for the other to end.
local function failing_due(account, state)
  bring_forward(account)
  local due, next_at = due_in(account, FAILING)
  local early, early_at = first(key('outage', account))
  if early and number(state.failures) >= FAILURES_TO_OPEN then
    early_at = math.max(early_at, number(state.failing_from))
    local is_turn = not next(due) or state.probed ~= 'early'
    if early_at <= now and is_turn then return { bulk = early, is_early = true } end
    next_at = sooner(next_at, early_at)
  end
  local _, recovers_at = first(key('recovery', account))
  return due, sooner(next_at, recovers_at)
end

local function failing_choice(due, lane) return { job = due[lane], is_failing = true, is_early = due.is_early } end

-- Of an account that is allowed one call at a time: its circuit is open, or nothing has proven its credentials.
-- A failing job probes an open circuit only while no other is due; one that comes meanwhile is probed beside it.
local function pick_alone(account, state)
  if is_leased(state.trial) or is_leased(state.older_trial) then return nil, now + 1000 end
  local due, next_at = due_in(account, '')
  local job = due.interactive or due.evidence or due.bulk
  if job then
    if state.circuit and number(state.probe_at) > now then return nil, number(state.probe_at) end
    return { job = job, is_alone = true, is_trial = true }
  end
  if not state.failing then return nil, next_at end
  if failing_calls(account) > 0 then return nil, sooner(next_at, now + 1000) end
  if state.circuit and number(state.failing_from) > now then return nil, sooner(next_at, number(state.failing_from)) end
  local failing, failing_at = failing_due(account, state)
  local lane = failing.interactive and 'interactive' or failing.evidence and 'evidence' or 'bulk'
  if not failing[lane] then return nil, sooner(next_at, failing_at) end
  local choice = failing_choice(failing, lane)
  choice.is_alone, choice.is_trial = true, state.proven ~= '1'
  return choice
end

-- From when on a failing job may be called for while others are due: those keep most of few slots, and of few calls a
-- minute, because there is a rest after each call of a failing one.
local function failing_from(state, limits)
  if limits.usable >= FEW_SLOTS and not limits.minute then return 0 end
  return number(state.failing_from) + (limits.minute and SHARE_OF_PACE * MINUTE_MS / limits.minute or 0)
end

-- The failing jobs that may be called for now, by lane. While others are due, and in an outage: one at a time.
local function failing_allowed(account, state, limits)
  local calls = failing_calls(account)
  local is_one = limits.is_other_due or number(state.failures) >= FAILURES_TO_OPEN
  if calls >= (is_one and 1 or math.max(1, math.floor(limits.usable / 2))) then return {}, now + 1000 end
  local from = limits.is_other_due and failing_from(state, limits) or 0
  if from > now then return {}, from end
  local due, next_at = failing_due(account, state)
  if calls == 0 and not next(due) and not next_at then redis.call('HDEL', account_key(account), 'failing') end
  return due, next_at
end

-- Of an account's slots the last is for an interactive job where one is due, so that no backlog delays it.
local function pick_freely(account, state, limits)
  local leaves_one = limits.in_flight < limits.all_but_last
  local due, next_at = due_in(account, '')
  local failing, failing_at = {}, nil
  limits.is_other_due = next(due) ~= nil
  if state.failing then failing, failing_at = failing_allowed(account, state, limits) end
  if failing.interactive then return failing_choice(failing, 'interactive') end
  if due.evidence and (leaves_one or not due.interactive) then return { job = due.evidence } end
  if due.interactive then return { job = due.interactive } end
  if leaves_one then
    if failing.evidence then return failing_choice(failing, 'evidence') end
    if failing.bulk then return failing_choice(failing, 'bulk') end
    if due.bulk then return { job = due.bulk } end
  elseif due.bulk or failing.evidence or failing.bulk then
    next_at = sooner(next_at, now + 1000)
  end
  return nil, sooner(next_at, failing_at)
end

-- The job to release for an account now, as { job, is_failing, is_early (before its time), is_alone (one call at a time is
-- the rule), is_trial (it is that one, not a probe beside it) }; or nil and the time of the account's next turn (nil: when
-- something happens to it). slots: calls that the process can run at all.
local function pick(account, slots)
  local state = fields(account_key(account), 'suspended_at', 'hold_until', 'circuit', 'probe_at', 'proven', 'trial',
    'older_trial', 'max_in_flight', 'max_per_minute', 'slow_until', 'slow_per_minute', 'handed', 'failures', 'failing',
    'failing_from', 'probed')
  if state.suspended_at then return nil end
  if number(state.hold_until) > now then return nil, number(state.hold_until) end
  local most, in_flight = number(state.max_in_flight or 8), redis.call('SCARD', key('flight', account))
  if in_flight >= most then return nil, now + 1000 end
  local minute = pace(state)
  if minute and begun_lately(account) + number(state.handed) >= minute then return nil, now + 250 end
  if state.circuit or state.proven ~= '1' then return pick_alone(account, state) end
  local all_but_last = math.max(1, most - 1)
  local limits = { in_flight = in_flight, all_but_last = all_but_last, usable = math.min(all_but_last, slots), minute = minute }
  return pick_freely(account, state, limits)
end
