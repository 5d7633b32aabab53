-- What an answer means for its account.

-- Calls a minute that the account may make now; nil where there is no limit.
local function pace(state)
  local limit = tonumber(state.max_per_minute or '')
  if number(state.slow_until) > now then
    limit = math.min(limit or math.huge, number(state.slow_per_minute))
  end
  return limit
end

-- Calls begun within the last minute.
local function begun_lately(account)
  local window = key('begun', account)
  redis.call('ZREMRANGEBYSCORE', window, '-inf', now - MINUTE_MS)
  return redis.call('ZCARD', window)
end

-- What asks whether an earlier call worked: a look-up where the provider has one, else the same request again.
local function question(account)
  return redis.call('HGET', account_key(account), 'inquires') == '1' and 'look_up' or 'cancel'
end

-- Whether look-ups can still tell what became of a job of this account.
local function answers_look_ups(account)
  return question(account) == 'look_up' and redis.call('HEXISTS', account_key(account), 'suspended_at') == 0
end

-- Whether the job's next call, or the one under way, is a cancellation request; that goes without saying at first.
local function asks_to_cancel(record) return (record.next or 'cancel') == 'cancel' end

-- An answer of an older generation must not suspend again what an operator has resumed since.
local function suspend(account, generation, why)
  local state = fields(account_key(account), 'generation', 'suspended_at')
  if state.suspended_at or number(state.generation) ~= number(generation) then return end
  redis.call('HSET', account_key(account), 'suspended_at', now, 'suspended_reason', why.reason,
    'suspended_code', why.code or '', 'suspended_job', why.job or '', 'suspended_by', why.by or '')
  redis.call('ZREM', key('turns'), account)
  -- Past their deadlines these runs can only be looked up: now expire ends them.
  if redis.call('EXISTS', key('look_ups', account)) == 1 then redis.call('SADD', key('given_up'), account) end
  remember_account(account, { what = 'suspended', reason = why.reason, job = why.job, by = why.by })
end

-- The authority or the provider asks for a pause; an answer that is handed in again asks for no second one.
local function pause(account, effects)
  local hash = account_key(account)
  local state = fields(hash, 'hold_until', 'paused_by')
  if state.paused_by == effects.nonce then return end
  local until_ms = math.max(number(state.hold_until), now + effects.hold_ms)
  redis.call('HSET', hash, 'hold_until', until_ms, 'hold_reason', effects.hold_reason or '', 'paused_by', effects.nonce)
  put_on_trial(account)
  if number(effects.slow_ms) > 0 then
    redis.call('HSET', hash, 'slow_until', now + effects.hold_ms + effects.slow_ms,
      'slow_per_minute', effects.slow_per_minute)
  end
  remember_account(account, { what = 'paused', reason = effects.hold_reason })
end

-- Of an answer that came too late for its job: what protects the account all the same.
local function protect(account, effects)
  if number(effects.hold_ms) > 0 then pause(account, effects) end
  if effects.suspend then suspend(account, effects.generation, effects.suspend) end
end

-- What an answer means for its account.
-- effects: feeds = 'failure' | 'answer' | 'none', proves, hold_ms, hold_reason, slow_ms, slow_per_minute,
-- suspend = { reason, code, job }, generation, nonce (the call's).
-- call: is_on_trial (it is the answer that the account's other jobs wait for), was_failing, took_ms.
local function affect(account, effects, call)
  if effects.feeds ~= 'none' then
    local state = fields(account_key(account), 'failures', 'failing_documents', 'row', 'circuit', 'probe_wait')
    if effects.feeds == 'failure' then count_failure(account, state, call) else count_answer(account, state) end
  end
  if effects.feeds == 'answer' and effects.proves and call.is_on_trial then
    redis.call('HSET', account_key(account), 'proven', 1)
  end
  protect(account, effects)
  take_turn(account, now)
end
