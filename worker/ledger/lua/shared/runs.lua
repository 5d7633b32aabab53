-- How a run begins, and how it ends with its outcome.

-- An account that has something to do now; once in a script is enough.
local called_up = {}
local function call_up(account)
  if called_up[account] then return end
  called_up[account] = true
  redis.call('SADD', key('accounts'), account)
  take_turn(account, now)
end

-- When a job is due and where it stands in the lists: milliseconds, with the order of admissions behind the point (admit gives
-- each a microsecond of its own). Two milliseconds early, so that it is due for whoever counts whole ones.
local function score_of(at_us)
  local us = (at_us or now_us) - 2000
  return string.format('%d.%03d', math.floor(us / 1000), us % 1000)
end

-- Put jobs where they wait for their next runs; each has job, account, lane, deadline ('' where there is none), and at_us,
-- its place in the order (nil: now). Gives the due time of the last.
-- To be done before their records are written: a job that its record calls queued is in its lane, also where one of these
-- keys is damaged and the script breaks off. All at once, because an import brings thousands; lanes first, because what
-- stands there without a record is found and removed by release.
local function enqueue(jobs)
  local lanes, open, deadlines, endless, due = {}, {}, {}, {}, nil
  local function add(set, score, job)
    set[#set + 1] = score
    set[#set + 1] = job
  end
  for _, one in ipairs(jobs) do
    local lane = due_key(one.account, one.lane)
    lanes[lane] = lanes[lane] or {}
    call_up(one.account)
    due = score_of(one.at_us)
    add(lanes[lane], due, one.job)
    add(open, due, one.job)
    if one.deadline == '' then endless[#endless + 1] = one.job else add(deadlines, one.deadline, one.job) end
  end
  for lane, jobs_in_it in pairs(lanes) do redis.call('ZADD', lane, unpack(jobs_in_it)) end
  redis.call('ZADD', key('open'), unpack(open))
  if #deadlines > 0 then redis.call('ZADD', key('deadlines'), unpack(deadlines)) end
  -- A record that somebody has removed may have left its deadline there.
  if #endless > 0 then redis.call('ZREM', key('deadlines'), unpack(endless)) end
  return due
end

-- Start another run of a job whose last has ended. run: job, account, lane, request, references (JSON list), deadline,
-- known (see shared/submissions.lua) or nil, at_us. earlier: the record; of it stays what is in doubt about the document
-- (acted, acted_at, claimed, in_process).
local function start_again(run, earlier)
  local asks = earlier.acted and question(run.account)
  local hash = job_key(run.job)
  make_certain_of_writing()
  local due = enqueue({ run })
  redis.call('ZREM', key('ended'), run.job)
  redis.call('PERSIST', hash)
  redis.call('HDEL', hash, 'attempts', 'calls', 'retry', 'pending', 'nonce', 'parked_at', 'warnings', 'lost', 'code',
    'finished_at', 'outcome_id', 'head', 'reason', 'deadline', 'next')
  redis.call('HSET', hash, 'v', '1', 'state', 'queued', 'account', run.account, 'lane', run.lane,
    'run', number(earlier.run) + 1, 'request', run.request, 'references', run.references, 'submitted_at', now_text,
    'due', due)
  if asks then redis.call('HSET', hash, 'next', asks) end
  if run.known then redis.call('HSET', hash, 'known', run.known) end
  if run.deadline ~= '' then redis.call('HSET', hash, 'deadline', run.deadline) end
  redis.call('HINCRBY', hash, 'seq', 1)
end

-- The head of an outcome: the fields that only the ledger knows. `rest` is the JSON text of all others without its brace.
local function head(facts)
  local environment = redis.call('HGET', KEYS[1], 'environment')
  return string.format(
    '{"environment":%s,"references":%s,"run":%s,"attempts":%d,"submitted_at":"%s","finished_at":"%s","replayed":%s,"warnings":%s,',
    environment and cjson.encode(environment) or 'null', facts.references, facts.run, facts.attempts, facts.submitted_at,
    facts.finished_at, facts.replayed, facts.warnings)
end

-- What counts is the stream. A channel that this user may not use is no reason to break off: the outcome would be published
-- once more with each repeat.
local function publish(job, account, status, text)
  local id = redis.call('XADD', key('outcomes'), '*', 'job', job, 'account', account, 'status', status, 'outcome', text)
  redis.pcall('PUBLISH', key('outcomes'), text)
  return id
end

-- End a run: outcome, channel and final state at once. ending: status, reason, rest, code, warnings (list), entry,
-- acted, uncounted (attempts that were none), nonce, keep_ms. What could fail at a damaged record comes before the outcome, and
-- so does a write that a full server refuses.
local function end_run(job, ending)
  local hash = job_key(job)
  local history = ending.entry and history_with(hash, ending.entry)
  local record = fields(hash, 'account', 'references', 'run', 'attempts', 'submitted_at', 'warnings')
  local warnings = appended(record.warnings, ending.warnings)
  local attempts = number(record.attempts) - number(ending.uncounted)
  local finished_at = utc(now)
  local top = head({ references = record.references, run = record.run, attempts = attempts,
    submitted_at = utc(number(record.submitted_at)), finished_at = finished_at, replayed = 'false', warnings = warnings })
  make_certain_of_writing()
  local id = publish(job, record.account, ending.status, top .. ending.rest)
  redis.call('HSET', hash, 'state', ending.status, 'reason', ending.reason, 'code', ending.code or '',
    'finished_at', finished_at, 'outcome_id', id, 'head', string.len(top), 'warnings', warnings, 'attempts', attempts)
  if ending.nonce then redis.call('HSET', hash, 'nonce', ending.nonce) end
  redis.call('HDEL', hash, 'retry', 'pending', 'handed', 'failing', 'late_ending', 'late_rest', 'late_step')
  if ending.acted then doubt(job) end
  local settles = ending.status == 'cancelled' or ending.status == 'rejected'
  if settles then end_doubt(hash) end
  if history then redis.call('HSET', hash, 'history', history) end
  redis.call('HINCRBY', hash, 'seq', 1)
  unschedule(job, record.account)
  redis.call('ZREM', key('deadlines'), job)
  redis.call('ZREM', key('look_ups', record.account), job)
  redis.call('ZREM', key('open'), job)
  end_lease(job, record.account)
  redis.call('ZADD', key('ended'), now, job)
  redis.call('PEXPIRE', hash, ending.keep_ms)
end

-- An answer that says cancelled, after its run has ended otherwise: kept, once for each call. A later run is then as
-- careful as after any call that may have acted, and no look-up ends this doubt.
local function keep_late_word(job, nonce, entry)
  local hash = job_key(job)
  local record = fields(hash, 'late', 'warnings')
  if record.late == nonce then return end
  remember(job, entry)
  local warnings = appended(record.warnings, { 'a later answer said that the document is cancelled' })
  redis.call('HSET', hash, 'late', nonce, 'warnings', warnings, 'claimed', 1)
  doubt(job)
end

-- What an open job remembers until its next call. record: account, lane (changed here); step: see park.lua.
local function remember_step(job, record, step)
  local hash, next_call = job_key(job), step.next
  local is_looked_up = next_call == 'cancel' and redis.call('ZSCORE', key('look_ups', record.account), job)
  if is_looked_up and number(redis.call('HGET', hash, 'deadline') or math.huge) <= now then next_call = 'look_up' end
  redis.call('HSET', hash, 'state', 'waiting', 'next', next_call, 'retry', step.retry, 'code', step.code or '',
    'parked_at', now)
  if step.acted then doubt(job) end
  if step.claimed then redis.call('HSET', hash, 'claimed', 1) end
  if step.disproved then end_doubt(hash) end
  if step.in_process then redis.call('HSET', hash, 'in_process', 1) end
  if step.pending then
    record.lane = 'evidence'
    redis.call('HSET', hash, 'pending', step.pending, 'lane', record.lane)
    redis.call('HDEL', hash, 'late_step')
    redis.call('ZREM', key('look_ups', record.account), job)
  end
  if step.until_ms then redis.call('ZADD', key('deadlines'), now + step.until_ms, job) end
  redis.call('HDEL', hash, 'lost')
  redis.call('HINCRBY', hash, 'seq', 1)
  if step.entry then remember(job, step.entry) end
end

-- A late answer that says cancelled, while a newer call holds the job: kept until that call is over. answer: `late_ending`
-- and `late_rest` (as finish has them) or `late_step` (as park has it).
local function keep_late_answer(job, nonce, entry, answer)
  local hash = job_key(job)
  remember(job, entry)
  for name, text in pairs(answer) do redis.call('HSET', hash, name, text) end
  redis.call('HSET', hash, 'kept', nonce)
end

-- A call is over that did not end its run as cancelled: a late answer that did so meanwhile decides instead. False where
-- there is none. call: nonce and entry, uncounted (as for end_run), pending (it says cancelled itself, without evidence);
-- all nil where its lease has ended.
local function overrule(job, call)
  local hash = job_key(job)
  local record = fields(hash, 'account', 'lane', 'failing', 'late_ending', 'late_rest', 'late_step')
  if record.late_ending then
    local ending = cjson.decode(record.late_ending)
    ending.rest, ending.entry, ending.uncounted, ending.nonce = record.late_rest, call.entry, call.uncounted, nil
    end_run(job, ending)
  elseif record.late_step and not call.pending then
    local step = cjson.decode(record.late_step)
    step.entry = call.entry
    remember_step(job, record, step)
    if call.uncounted then redis.call('HINCRBY', hash, 'attempts', -call.uncounted) end
    mark_failing(job, record, 'answer')
    schedule(job, record, now + step.wait_ms)
    end_lease(job, record.account)
  else
    return false
  end
  if call.nonce then redis.call('HSET', hash, 'overruled', call.nonce) end
  return true
end
