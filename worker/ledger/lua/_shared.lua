-- Put in front of every transition. KEYS[1] is always <namespace>:meta; all other keys are built from its namespace
-- (one server or one primary with replicas, never Redis Cluster). Times are milliseconds on this server's clock.
local ns = string.sub(KEYS[1], 1, -6)

local LOST_AT_MOST = 3 -- leases of a begun call that may end without an answer before the job is given up
local FAILURES_TO_OPEN = 10 -- TRANSIENT or UNKNOWN answers in a row that open an account's circuit
local PROBE_FIRST_MS, PROBE_CAP_MS = 1000, 10000
local HISTORY, REFERENCES = 20, 1000
local MINUTE_MS = 60000

-- In the order in which they are served. A cancelled document waits in the first for nothing but its evidence.
local LANES = { 'evidence', 'interactive', 'bulk' }

local OPEN = { queued = true, running = true, waiting = true }

local function key(first, second, third)
  local name = ns .. ':' .. first
  if second then name = name .. ':' .. second end
  return third and name .. ':' .. third or name
end
local function job_key(job) return key('job', job) end
local function account_key(account) return key('account', account) end
local function number(value) return tonumber(value or 0) or 0 end

local now = (function()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end)()
local now_text = string.format('%d', now)

-- The named fields of a hash, by name; a missing one is nil.
local function fields(hash, ...)
  local names, found = { ... }, {}
  for place, value in ipairs(redis.call('HMGET', hash, ...)) do
    found[names[place]] = value or nil
  end
  return found
end

-- A date and time as YYYY-MM-DDTHH:MM:SS (proleptic Gregorian calendar), `ms` after the epoch, and the milliseconds left.
local function civil(ms)
  local seconds = math.floor(ms / 1000)
  local days, rest = math.floor(seconds / 86400), seconds % 86400
  local shifted = days + 719468
  local era = math.floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year_of_era = math.floor((day_of_era - math.floor(day_of_era / 1460) + math.floor(day_of_era / 36524)
    - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local month_from_march = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * month_from_march + 2) / 5) + 1
  local month = month_from_march < 10 and month_from_march + 3 or month_from_march - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d', year, month, day,
    math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60), ms % 1000
end

local function utc(ms)
  local text, millis = civil(ms)
  return string.format('%s.%03dZ', text, millis)
end

local function local_time(ms, offset_minutes)
  local text = civil(ms + offset_minutes * 60000)
  local sign = offset_minutes < 0 and '-' or '+'
  return string.format('%s%s%02d:00', text, sign, math.abs(offset_minutes) / 60)
end

-- JSON lists are kept as text, because cjson cannot tell an empty list from an empty object.
local function as_list(items)
  if #items == 0 then return '[]' end
  return cjson.encode(items)
end

local function appended(text, items)
  local all = cjson.decode(text or '[]')
  for _, item in ipairs(items) do all[#all + 1] = item end
  return as_list(all)
end

-- The history in a hash with one entry more.
local function history_with(hash, entry)
  local history = cjson.decode(redis.call('HGET', hash, 'history') or '[]')
  entry.at = now
  history[#history + 1] = entry
  while #history > HISTORY do table.remove(history, 1) end
  return as_list(history)
end

local function remember_in(hash, entry) redis.call('HSET', hash, 'history', history_with(hash, entry)) end
local function remember(job, entry) remember_in(job_key(job), entry) end
local function remember_account(account, entry) remember_in(account_key(account), entry) end

-- A call may have cancelled the document. The first run in doubt is the one that stays: later ones may send another body.
local function doubt(job)
  redis.call('HSETNX', job_key(job), 'acted', redis.call('HGET', job_key(job), 'run'))
end

local LISTS = { 'references', 'warnings', 'history', 'submissions', 'older_submissions' }
local NUMBERS = { 'run', 'seq', 'token', 'calls', 'attempts', 'lost', 'submitted_at', 'head' }
local TIMES = { 'due', 'deadline' }
local STATES = { queued = true, running = true, waiting = true, cancelled = true, rejected = true, unresolved = true,
  revoked = true }
local IS_LANE = { evidence = true, interactive = true, bulk = true }

local function is_whole(text)
  return string.len(text) <= 15 and string.match(text, '^-?[1-9]%d*$') ~= nil or text == '0'
end

local function is_finite(value) return value and value > -math.huge and value < math.huge end

-- Whether it is JSON of a list or an object that can be written again.
local function is_json(text)
  local is_read, value = pcall(cjson.decode, text)
  return is_read and type(value) == 'table' and (pcall(cjson.encode, value))
end

-- A whole record, empty where there is none; or nil and what is wrong with it where somebody else has written to it: then
-- a transition leaves it alone before it has written anything, and goes on with the other jobs.
local function examined(job)
  local kind = redis.call('TYPE', job_key(job)).ok
  if kind == 'none' then return {} end
  if kind ~= 'hash' then return nil, 'it is a ' .. kind end
  local record, flat = {}, redis.call('HGETALL', job_key(job))
  for place = 1, #flat, 2 do record[flat[place]] = flat[place + 1] end
  for _, name in ipairs(LISTS) do
    if record[name] and not is_json(record[name]) then return nil, name .. ' is no JSON list or object' end
  end
  for _, name in ipairs(NUMBERS) do
    if record[name] and not is_whole(record[name]) then return nil, name .. ' is no whole number' end
  end
  for _, name in ipairs(TIMES) do
    if record[name] and not is_finite(tonumber(record[name])) then return nil, name .. ' is no time' end
  end
  local is_sound = STATES[record.state] and IS_LANE[record.lane] and record.run and record.account and record.references
    and record.submitted_at and is_json(record.request or '')
    and (record.state ~= 'cancelled' or record.head and record.outcome_id and record.finished_at)
  if not is_sound then return nil, 'a field is missing or has no value that is known' end
  return record
end

-- Schedule ---------------------------------------------------------------------------------------------------------

local function due_key(account, lane) return key('due', account, lane) end

-- From `at` on the account may have something to release.
local function take_turn(account, at) redis.call('ZADD', key('turns'), 'LT', at, account) end

local function schedule(job, account, lane, due)
  redis.call('HSET', job_key(job), 'due', due)
  redis.call('ZADD', due_key(account, lane), due, job)
  take_turn(account, due)
end

local function unschedule(job, account)
  for _, lane in ipairs(LANES) do redis.call('ZREM', due_key(account, lane), job) end
  redis.call('ZREM', key('weather', account), job)
  redis.call('ZREM', key('clearing', account), job)
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

local function end_lease(job, account)
  no_longer_handed(job, account)
  redis.call('ZREM', key('leases'), job)
  redis.call('SREM', key('flight', account), job)
  redis.call('SREM', key('trials'), job)
  for _, place in ipairs({ 'trial', 'older_trial' }) do
    if redis.call('HGET', account_key(account), place) == job then redis.call('HDEL', account_key(account), place) end
  end
  take_turn(account, now)
end

-- From now on one call at a time, until one that begins from now on is answered: an older call proves nothing new,
-- but a trial that is under way is waited for, so that ten workers that start at once do not try ten times at once.
local function put_on_trial(account)
  local hash = account_key(account)
  local trial = redis.call('HGET', hash, 'trial')
  redis.call('HSET', hash, 'proven', 0)
  redis.call('HDEL', hash, 'trial')
  if trial and redis.call('HGET', job_key(trial), 'state') == 'running' then
    redis.call('HSET', hash, 'older_trial', trial)
  end
end

-- Put a released job back as if it had not been released.
local function put_back(job, record)
  redis.call('HDEL', job_key(job), 'handed')
  end_lease(job, record.account)
  schedule(job, record.account, record.lane, number(record.due))
end

-- Accounts ---------------------------------------------------------------------------------------------------------

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

-- Whether the job's next call, or the one under way, is a cancellation request; that goes without saying at first.
local function asks_to_cancel(record) return (record.next or 'cancel') == 'cancel' end

-- An answer of an older generation must not suspend again what an operator has resumed since.
local function suspend(account, generation, why)
  local state = fields(account_key(account), 'generation', 'suspended_at')
  if state.suspended_at or number(state.generation) ~= number(generation) then return end
  redis.call('HSET', account_key(account), 'suspended_at', now, 'suspended_reason', why.reason,
    'suspended_code', why.code or '', 'suspended_job', why.job or '', 'suspended_by', why.by or '')
  redis.call('ZREM', key('turns'), account)
  remember_account(account, { what = 'suspended', reason = why.reason, job = why.job, by = why.by })
end

-- The jobs that wait because of an outage need not wait for long once it is over (release brings them forward). What
-- fails from now on fails by itself and waits out its pauses.
local function clear_up(account)
  local weather, clearing = key('weather', account), key('clearing', account)
  redis.call('ZUNIONSTORE', clearing, 2, clearing, weather, 'AGGREGATE', 'MIN')
  redis.call('DEL', weather)
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

-- What an answer means for its account; on_trial: it is the answer that the account's other jobs wait for.
-- effects: feeds = 'failure' | 'answer' | 'none', proves, hold_ms, hold_reason, slow_ms, slow_per_minute,
-- suspend = { reason, code, job }, generation, nonce (the call's).
local function affect(account, effects, on_trial)
  local hash = account_key(account)
  local state = fields(hash, 'failures', 'circuit', 'probe_wait')
  if effects.feeds == 'failure' then
    local failures = number(state.failures) + 1
    redis.call('HSET', hash, 'failures', failures)
    if state.circuit then
      local wait = math.min(number(state.probe_wait) * 2, PROBE_CAP_MS)
      redis.call('HSET', hash, 'probe_wait', wait, 'probe_at', now + wait)
    elseif failures >= FAILURES_TO_OPEN then
      redis.call('HSET', hash, 'circuit', now, 'probe_wait', PROBE_FIRST_MS, 'probe_at', now + PROBE_FIRST_MS)
      remember_account(account, { what = 'circuit opened' })
    end
  elseif effects.feeds == 'answer' then
    redis.call('HSET', hash, 'failures', 0)
    if state.circuit then
      redis.call('HDEL', hash, 'circuit', 'probe_wait', 'probe_at')
      clear_up(account)
      remember_account(account, { what = 'circuit closed' })
    end
    if effects.proves and on_trial then redis.call('HSET', hash, 'proven', 1) end
  end
  protect(account, effects)
  take_turn(account, now)
end

-- Runs -------------------------------------------------------------------------------------------------------------

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

-- Ways in ----------------------------------------------------------------------------------------------------------

-- An item that is too long to be handed back and forth is known by its `digest:length:places`, `places` being how far it
-- stood from the oldest end. What was taken out since has only brought it nearer. Looked for once in a script; one that
-- is not found there and still stands is met again by the next peek.
local oversize = (function()
  local looked, found = false, nil
  return function(entry, place)
    if looked then return found end
    looked = true
    local digest, length, places = string.match(entry, '^(%x+):(%d+):(%d+)$')
    for index = -1 - tonumber(places), -1 do
      local item = redis.call('LINDEX', place, index)
      if item and string.len(item) == tonumber(length) and redis.sha1hex(item) == digest then
        found = item
        break
      end
    end
    return found
  end
end)()

-- Whether a stream entry or queue item is still there; always true where a request came another way.
local function stands(source, entry, place)
  if source == 'stream' then return #redis.call('XRANGE', place, entry, entry) > 0 end
  if source == 'queue' then return redis.call('LPOS', place, entry, 'RANK', -1) ~= false end
  if source == 'oversize' then return oversize(entry, place) ~= nil end
  return true
end

local function remove(source, entry, place)
  if source == 'stream' then redis.call('XDEL', place, entry) end
  if source == 'queue' then redis.call('LREM', place, -1, entry) end
  if source == 'oversize' then redis.call('LREM', place, -1, oversize(entry, place)) end
end
