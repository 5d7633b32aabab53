-- Failures of an account: its circuit, and the documents that fail (docs/adr/0009).
-- A job is failing from its first TRANSIENT or UNKNOWN answer until its next other one. Its record then says in which of
-- the account's rows of failures that began. Of the account:
--   failures: answers in a row that were failures; failing_documents: how many of them were of documents that had not been
--   failing; row: the number of the row; outage:<account>: who began to fail in it, by when they may be asked again.

-- Put the job of an answer among the failing ones or take it from them, before it is scheduled; record.failing is changed.
-- row: the account's.
local function mark_failing(job, record, feeds, row)
  if feeds == 'failure' and not record.failing then
    record.failing = row
    redis.call('HSET', job_key(job), 'failing', row)
  elseif feeds == 'answer' and record.failing then
    record.failing = nil
    redis.call('HDEL', job_key(job), 'failing')
  end
end

-- The next probe by a failing document, and after a failure of one that was not failing also the next by such a one.
local function wait_for_probe(account, wait, is_for_all)
  local hash = account_key(account)
  redis.call('HSET', hash, 'probe_wait', wait, 'failing_from', now + wait)
  if is_for_all then redis.call('HSET', hash, 'probe_at', now + wait) end
end

local function open_circuit(account)
  redis.call('HSET', account_key(account), 'circuit', now)
  wait_for_probe(account, PROBE_FIRST_MS, true)
  remember_account(account, { what = 'circuit opened' })
end

-- How long the call of a record took; nothing where that cannot be told.
local function took_ms(record) return math.max(0, math.min(now - (tonumber(record.called_at or '') or now), 10 * MINUTE_MS)) end

-- call: see affect.
local function count_failure(account, state, call)
  local failures = number(state.failures) + 1
  local documents = number(state.failing_documents) + (call.was_failing and 0 or 1)
  redis.call('HSET', account_key(account), 'failures', failures, 'failing_documents', documents)
  if not state.circuit and documents >= FAILURES_TO_OPEN then
    open_circuit(account)
  elseif failures == FAILURES_TO_OPEN then
    wait_for_probe(account, PROBE_FIRST_MS, false)
  elseif failures > FAILURES_TO_OPEN and (call.was_failing or call.is_on_trial) then
    wait_for_probe(account, math.min(number(state.probe_wait) * 2, PROBE_CAP_MS), not call.was_failing)
  elseif call.was_failing then
    redis.call('HSET', account_key(account), 'failing_from', now + REST * call.took_ms)
  end
end

-- A row of failures has come to its end. If it was an outage, who began to fail in it need not wait out their long pauses
-- (release brings them forward); who fails again does.
local function count_answer(account, state)
  local failures = number(state.failures)
  if failures == 0 and not state.circuit then return end
  local hash, outage, recovery = account_key(account), key('outage', account), key('recovery', account)
  redis.call('HSET', hash, 'failures', 0, 'failing_documents', 0, 'row', number(state.row) + 1)
  if state.circuit or failures >= FAILURES_TO_OPEN then
    redis.call('HDEL', hash, 'circuit', 'probe_wait', 'probe_at', 'failing_from')
    redis.call('ZUNIONSTORE', recovery, 2, recovery, outage, 'AGGREGATE', 'MIN')
  end
  redis.call('DEL', outage)
  if state.circuit then remember_account(account, { what = 'circuit closed' }) end
end
