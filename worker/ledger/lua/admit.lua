-- admit: (none or ended) -> queued; joins an open run, replays a cancelled one.
-- KEYS: meta
-- ARGV: job, account, lane, reference, body, deadline_ms, utc_offset_minutes, submission, source, entry, place
--       ('' where there is none; source is '' | 'stream' | 'queue', place the stream or list that holds the entry)
-- Reply: { 'admitted', run, joined, replayed } or { 'gone' } where the entry was taken in before.
-- Again: a known submission or a taken entry changes nothing; without either, a second call joins the first.
local job, account, lane, reference, body, deadline, offset, submission, source, entry, place = unpack(ARGV)

local SUBMISSIONS = 500 -- remembered of a job, and as many from before them

if not stands(source, entry, place) then return { 'gone' } end

local hash = job_key(job)
local record = fields(hash, 'state', 'run', 'account', 'lane', 'request', 'references', 'submissions',
  'older_submissions', 'acted', 'warnings', 'outcome_id', 'head', 'attempts', 'submitted_at', 'finished_at')
local submissions = cjson.decode(record.submissions or '{}')

local function reply(run, joined, replayed)
  if submission ~= '' then
    local count = 0
    for _ in pairs(submissions) do count = count + 1 end
    if count >= SUBMISSIONS then
      redis.call('HSET', hash, 'older_submissions', cjson.encode(submissions))
      submissions = {}
    end
    submissions[submission] = { run, joined, replayed }
    redis.call('HSET', hash, 'submissions', cjson.encode(submissions))
  end
  remove(source, entry, place)
  return { 'admitted', run, joined, replayed }
end

local function warn(text)
  local warnings = cjson.decode(record.warnings or '[]')
  for _, known in ipairs(warnings) do
    if known == text then return end
  end
  record.warnings = appended(record.warnings, { text })
  redis.call('HSET', hash, 'warnings', record.warnings)
end

-- The fields in which a joining request differs from the one that stays.
local function differences()
  local first, second, names = cjson.decode(record.request), cjson.decode(body), {}
  for name, value in pairs(second) do
    if first[name] ~= value then names[#names + 1] = name end
  end
  for name in pairs(first) do
    if second[name] == nil and not (name == 'dhEvento' and offset ~= '') then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function join()
  local references = cjson.decode(record.references)
  local known = reference == ''
  for _, one in ipairs(references) do known = known or one == reference end
  if not known and #references >= REFERENCES then
    warn('more than 1000 references: the later ones are not kept')
  elseif not known then
    redis.call('HSET', hash, 'references', appended(record.references, { reference }))
  end
  if lane == 'interactive' and record.lane == 'bulk' then
    local due = redis.call('ZSCORE', due_key(record.account, 'bulk'), job)
    redis.call('HSET', hash, 'lane', lane)
    if due then
      redis.call('ZREM', due_key(record.account, 'bulk'), job)
      schedule(job, record.account, lane, tonumber(due))
    end
  end
  local names = differences()
  if #names > 0 then warn('a joined request differed in: ' .. table.concat(names, ', ')) end
  redis.call('HINCRBY', hash, 'seq', 1)
  return reply(tonumber(record.run), 1, 0)
end

-- nil where the outcome is no longer kept: then the document is unknown.
local function replay()
  local found = redis.call('XRANGE', key('outcomes'), record.outcome_id, record.outcome_id)
  if #found == 0 then return nil end
  local values = {}
  for place_of_name = 1, #found[1][2], 2 do values[found[1][2][place_of_name]] = found[1][2][place_of_name + 1] end
  local top = head({ references = as_list(reference ~= '' and { reference } or {}), run = record.run,
    attempts = number(record.attempts), submitted_at = utc(number(record.submitted_at)), finished_at = record.finished_at,
    replayed = 'true', warnings = record.warnings or '[]' })
  publish(job, record.account, record.state, top .. string.sub(values.outcome, tonumber(record.head) + 1))
  return reply(tonumber(record.run), 0, 1)
end

local older = cjson.decode(record.older_submissions or '{}')
local answered = submission ~= '' and (submissions[submission] or older[submission])
if answered then
  remove(source, entry, place)
  return { 'admitted', answered[1], answered[2], answered[3] }
end
if OPEN[record.state] then return join() end
local replayed = record.state == 'cancelled' and replay()
if replayed then return replayed end

if offset ~= '' then
  body = string.sub(body, 1, -2) .. ',"dhEvento":"' .. local_time(now, tonumber(offset)) .. '"}'
end
local references = as_list(reference ~= '' and { reference } or {})
local run = start_run(job, { account = account, lane = lane, request = body, references = references,
  deadline = tonumber(deadline) }, record)
return reply(run, 0, 0)
