-- A job's record: what it remembers, and whether somebody else has written to it.

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
-- acted_at: by then the last such request had been sent; a look-up proves something only so long after it.
local function doubt(job)
  local hash = job_key(job)
  redis.call('HSETNX', hash, 'acted', redis.call('HGET', hash, 'run'))
  redis.call('HSET', hash, 'acted_at', now)
end

-- No earlier call can have cancelled the document any more, or it is cancelled.
local function end_doubt(hash) redis.call('HDEL', hash, 'acted', 'acted_at', 'claimed', 'in_process') end

local LISTS = { 'warnings', 'history', 'late_ending', 'late_step' }
local NUMBERS = { 'run', 'seq', 'token', 'calls', 'attempts', 'lost', 'submitted_at', 'head' }
local TIMES = { 'due', 'deadline', 'acted_at' }
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

-- A list of texts as it is written here; nil where it is none.
local function texts_in(text)
  local is_read, list = pcall(cjson.decode, text)
  if not is_read or not string.match(text, '^%[.*%]$') then return nil end
  for _, one in ipairs(list) do
    if type(one) ~= 'string' then return nil end
  end
  return list
end

-- A whole record, empty where there is none; or nil and what is wrong with it where somebody else has written to it: then
-- a transition leaves it alone before it has written anything, and goes on with the other jobs. As a third value its references
-- in a list.
local function examined(job)
  local record, flat, problem = {}, record_of(job)
  if not flat then return nil, problem end
  if #flat == 0 then return record end
  for place = 1, #flat, 2 do record[flat[place]] = flat[place + 1] end
  for _, name in ipairs(LISTS) do
    if record[name] and not is_json(record[name]) then return nil, name .. ' is no JSON list or object' end
  end
  for name, is_whole_text in pairs(SUBMISSIONS) do
    if record[name] and not is_whole_text(record[name]) then return nil, name .. ' is no list of submissions' end
  end
  for _, name in ipairs(NUMBERS) do
    if record[name] and not is_whole(record[name]) then return nil, name .. ' is no whole number' end
  end
  for _, name in ipairs(TIMES) do
    if record[name] and not is_finite(tonumber(record[name])) then return nil, name .. ' is no time' end
  end
  local references = texts_in(record.references or '')
  if not references then return nil, 'references is no JSON list of texts' end
  local is_sound = STATES[record.state] and IS_LANE[record.lane] and record.run and record.account
    and record.submitted_at and is_json(record.request or '')
    and (record.state ~= 'cancelled' or record.head and record.outcome_id and record.finished_at)
  if not is_sound then return nil, 'a field is missing or has no value that is known' end
  return record, nil, references
end
