-- How a run begins, and how it ends with its outcome.

-- An account that has something to do now; once in a script is enough.
local called_up = {}
local function call_up(account)
  if called_up[account] then return end
  called_up[account] = true
  redis.call('SADD', key('accounts'), account)
  take_turn(account, now)
end

-- Start the next run of a job; what is in doubt about its document (acted, in_process) stays so.
-- run: account, lane, request, references (JSON list), deadline or nil, submissions (JSON object) or nil.
-- earlier: state, run and acted of the run before, where there is one.
local function start_run(job, run, earlier)
  local hash, number_of_run = job_key(job), number(earlier.run) + 1
  if earlier.run then
    redis.call('HDEL', hash, 'attempts', 'calls', 'retry', 'pending', 'nonce', 'parked_at', 'warnings', 'lost', 'code',
      'finished_at', 'outcome_id', 'head', 'reason', 'deadline', 'next')
    if earlier.acted then redis.call('HSET', hash, 'next', question(run.account)) end
    redis.call('HINCRBY', hash, 'seq', 1)
    redis.call('PERSIST', hash)
    redis.call('ZREM', key('ended'), job)
  end
  local written = { 'v', '1', 'state', 'queued', 'account', run.account, 'lane', run.lane, 'run', number_of_run,
    'request', run.request, 'references', run.references, 'submitted_at', now_text, 'due', now_text }
  if run.submissions then
    written[#written + 1] = 'submissions'
    written[#written + 1] = run.submissions
  end
  redis.call('HSET', hash, unpack(written))
  redis.call('ZADD', key('open'), now_text, job)
  redis.call('ZADD', due_key(run.account, run.lane), now_text, job)
  if run.deadline then
    redis.call('HSET', hash, 'deadline', run.deadline)
    redis.call('ZADD', key('deadlines'), run.deadline, job)
  end
  call_up(run.account)
  return number_of_run
end

-- The head of an outcome: the fields that only the ledger knows. `rest` is the JSON text of all others without its brace.
local function head(facts)
  return string.format(
    '{"references":%s,"run":%s,"attempts":%d,"submitted_at":"%s","finished_at":"%s","replayed":%s,"warnings":%s,',
    facts.references, facts.run, facts.attempts, facts.submitted_at, facts.finished_at, facts.replayed, facts.warnings)
end

local function publish(job, account, status, text)
  local id = redis.call('XADD', key('outcomes'), '*', 'job', job, 'account', account, 'status', status, 'outcome', text)
  redis.call('PUBLISH', key('outcomes'), text)
  return id
end

-- End a run: outcome, channel and final state at once. ending: status, reason, rest, code, warnings (list), entry,
-- acted, uncounted (attempts that were none), nonce, keep_ms. The outcome is the first write, so that a full server
-- refuses the whole; what could fail at a damaged record comes before it.
local function end_run(job, ending)
  local hash = job_key(job)
  local history = ending.entry and history_with(hash, ending.entry)
  local record = fields(hash, 'account', 'references', 'run', 'attempts', 'submitted_at', 'warnings')
  local warnings = appended(record.warnings, ending.warnings)
  local attempts = number(record.attempts) - number(ending.uncounted)
  local finished_at = utc(now)
  local top = head({ references = record.references, run = record.run, attempts = attempts,
    submitted_at = utc(number(record.submitted_at)), finished_at = finished_at, replayed = 'false', warnings = warnings })
  local id = publish(job, record.account, ending.status, top .. ending.rest)
  redis.call('HSET', hash, 'state', ending.status, 'reason', ending.reason, 'code', ending.code or '',
    'finished_at', finished_at, 'outcome_id', id, 'head', string.len(top), 'warnings', warnings, 'attempts', attempts)
  if ending.nonce then redis.call('HSET', hash, 'nonce', ending.nonce) end
  redis.call('HDEL', hash, 'retry', 'pending', 'handed')
  if ending.acted then doubt(job) end
  local settles = ending.status == 'cancelled' or ending.status == 'rejected'
  if settles then redis.call('HDEL', hash, 'acted', 'in_process') end
  if history then redis.call('HSET', hash, 'history', history) end
  redis.call('HINCRBY', hash, 'seq', 1)
  unschedule(job, record.account)
  redis.call('ZREM', key('deadlines'), job)
  redis.call('ZREM', key('open'), job)
  end_lease(job, record.account)
  redis.call('ZADD', key('ended'), now, job)
  redis.call('PEXPIRE', hash, ending.keep_ms)
end

-- An answer that says cancelled, after its run has ended otherwise: kept, once for each call. A later run is then as
-- careful as after any call that may have acted.
local function keep_late_word(job, nonce, entry)
  local hash = job_key(job)
  local record = fields(hash, 'late', 'warnings')
  if record.late == nonce then return end
  remember(job, entry)
  local warnings = appended(record.warnings, { 'a later answer said that the document is cancelled' })
  redis.call('HSET', hash, 'late', nonce, 'warnings', warnings)
  doubt(job)
end
