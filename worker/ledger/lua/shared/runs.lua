-- How a run begins, and how it ends with its outcome.

-- An account that has something to do now; once in a script is enough.
local called_up = {}
local function call_up(account)
  if called_up[account] then return end
  called_up[account] = true
  redis.call('SADD', key('accounts'), account)
  take_turn(account, now)
end

-- A run before leaves nothing behind but what is in doubt about its document (acted, in_process).
local function write_run(run)
  if run.earlier.run then
    redis.call('HDEL', run.hash, 'attempts', 'calls', 'retry', 'pending', 'nonce', 'parked_at', 'warnings', 'lost', 'code',
      'finished_at', 'outcome_id', 'head', 'reason', 'deadline', 'next')
    redis.call('HINCRBY', run.hash, 'seq', 1)
    redis.call('PERSIST', run.hash)
    if run.next then redis.call('HSET', run.hash, 'next', run.next) end
  end
  local more = run.submissions and { 'submissions', run.submissions } or {}
  if run.deadline then
    more[#more + 1] = 'deadline'
    more[#more + 1] = run.deadline
  end
  redis.call('HSET', run.hash, 'v', '1', 'state', 'queued', 'account', run.account, 'lane', run.lane,
    'run', number(run.earlier.run) + 1, 'request', run.request, 'references', run.references,
    'submitted_at', now_text, 'due', now_text, unpack(more))
end

-- Start the next runs of different jobs. Each has job, hash (its key), account, lane, request, references (JSON list),
-- deadline or nil, submissions (JSON object) or nil, and earlier: run and acted of the run before, empty without one.
-- Lanes and lists take all of them at once, which makes an import fast, and before any record is written: a job that its
-- record calls queued is in its lane, also where one of those keys is damaged and the script breaks off.
local function start_runs(runs)
  local sets, members_of = {}, {}
  local function add(set, score, job)
    local members = members_of[set]
    if not members then
      members = {}
      members_of[set], sets[#sets + 1] = members, set
    end
    members[#members + 1] = score
    members[#members + 1] = job
  end
  local open, deadlines = key('open'), key('deadlines')
  for _, run in ipairs(runs) do
    call_up(run.account)
    add(due_key(run.account, run.lane), now_text, run.job)
    add(open, now_text, run.job)
    if run.deadline then add(deadlines, run.deadline, run.job) end
    if run.earlier.run then redis.call('ZREM', key('ended'), run.job) end
    run.next = run.earlier.acted and question(run.account)
  end
  for _, set in ipairs(sets) do redis.call('ZADD', set, unpack(members_of[set])) end
  for _, run in ipairs(runs) do write_run(run) end
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
