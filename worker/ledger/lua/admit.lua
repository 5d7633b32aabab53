-- admit: (none or ended) -> queued; joins an open run, replays a cancelled one. Several in one call: new jobs together,
-- then the others one after the other.
-- KEYS: meta
-- ARGV: source ('' | 'stream' | 'queue' | 'oversize'), entry, place (the stream or list of the entry): with them one
--       admission at the most; then for each admission: job, account, lane, deadline_ms, submission ('' where there is
--       none), text (its lines: see shared/packed.lua)
-- Reply: for each { 'new' } where the job was unknown, else { 'admitted', run, joined, replayed, repeated }, repeated: 1
--        where the submission is known, and answered as before; { 'gone' } where the entry was taken in before, or
--        { 'damaged', why } where the job's record is.
-- Again: a known submission or a taken entry changes nothing; without either, a second call joins the first.
local BEFORE, ARGUMENTS = 3, 6 -- of all, and of one admission
local SUBMISSIONS = 500 -- remembered of a job, and as many from before them

-- What is remembered of this submission, beside those before it; nil where it has no id.
local function remembered(one, record, answer)
  if one.submission == '' then return nil end
  local submissions, count = cjson.decode(record.submissions or '{}'), 0
  for _ in pairs(submissions) do count = count + 1 end
  if count >= SUBMISSIONS then
    redis.call('HSET', job_key(one.job), 'older_submissions', record.submissions)
    submissions = {}
  end
  submissions[one.submission] = answer
  return cjson.encode(submissions)
end

local function reply(answer, repeated) return { 'admitted', answer[1], answer[2], answer[3], repeated or 0 } end

local function remember_and_reply(one, record, answer)
  local submissions = remembered(one, record, answer)
  if submissions then redis.call('HSET', job_key(one.job), 'submissions', submissions) end
  return reply(answer)
end

local function warn(one, record, text)
  local warnings = cjson.decode(record.warnings or '[]')
  for _, known in ipairs(warnings) do
    if known == text then return end
  end
  record.warnings = appended(record.warnings, { text })
  redis.call('HSET', job_key(one.job), 'warnings', record.warnings)
end

-- The fields in which a joining request differs from the one that stays.
local function differences(one, record)
  local first, second, names = cjson.decode(record.request), cjson.decode(one.body), {}
  for name, value in pairs(second) do
    if first[name] ~= value then names[#names + 1] = name end
  end
  for name in pairs(first) do
    if second[name] == nil and not (name == 'dhEvento' and one.offset ~= '') then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function add_reference(one, record, reference)
  local references = cjson.decode(record.references)
  for _, known in ipairs(references) do
    if known == reference then return end
  end
  if #references >= REFERENCES then
    warn(one, record, 'more than 1000 references: the later ones are not kept')
  else
    redis.call('HSET', job_key(one.job), 'references', appended(record.references, { reference }))
  end
end

local function raise_to_interactive(one, record)
  local bulk = due_key(record.account, place_of(record))
  local due = redis.call('ZSCORE', bulk, one.job)
  record.lane = 'interactive'
  redis.call('HSET', job_key(one.job), 'lane', record.lane)
  if due then
    redis.call('ZREM', bulk, one.job)
    schedule(one.job, record, tonumber(due))
  end
end

local function join(one, record)
  for _, reference in ipairs(cjson.decode(one.references)) do add_reference(one, record, reference) end
  if one.lane == 'interactive' and record.lane == 'bulk' then raise_to_interactive(one, record) end
  local names = differences(one, record)
  if #names > 0 then warn(one, record, 'a joined request differed in: ' .. table.concat(names, ', ')) end
  redis.call('HINCRBY', job_key(one.job), 'seq', 1)
  return remember_and_reply(one, record, { tonumber(record.run), 1, 0 })
end

-- nil where the outcome is no longer kept: then the document is unknown.
local function replay(one, record)
  local found = redis.call('XRANGE', key('outcomes'), record.outcome_id, record.outcome_id)
  if #found == 0 then return nil end
  local values = {}
  for place_of_name = 1, #found[1][2], 2 do values[found[1][2][place_of_name]] = found[1][2][place_of_name + 1] end
  local top = head({ references = one.references, run = record.run,
    attempts = number(record.attempts), submitted_at = utc(number(record.submitted_at)), finished_at = record.finished_at,
    replayed = 'true', warnings = record.warnings or '[]' })
  publish(one.job, record.account, record.state, top .. string.sub(values.outcome, tonumber(record.head) + 1))
  return remember_and_reply(one, record, { tonumber(record.run), 0, 1 })
end

local function start(one, record)
  local answer = { number(record.run) + 1, 0, 0 }
  start_again({ job = one.job, account = one.account, lane = one.lane, request = completed(one.body, one.offset, now),
    references = one.references, deadline = one.deadline, submissions = remembered(one, record, answer) }, record)
  return reply(answer)
end

-- The reply that this submission was given before; nil where it is new.
local function answered(one, record)
  if one.submission == '' then return nil end
  return cjson.decode(record.submissions or '{}')[one.submission]
    or cjson.decode(record.older_submissions or '{}')[one.submission]
end

local function admit(one)
  one.offset, one.references, one.body = lines_of(one.text)
  local record, problem = examined(one.job)
  if not record then return { 'damaged', problem } end
  local before = answered(one, record)
  if before then return reply(before, 1) end
  if OPEN[record.state] then return join(one, record) end
  return record.state == 'cancelled' and replay(one, record) or start(one, record)
end

local function admissions()
  local all = {}
  for first = BEFORE + 1, #ARGV, ARGUMENTS do
    local job, account, lane, deadline, submission, text = unpack(ARGV, first, first + ARGUMENTS - 1)
    all[#all + 1] = { job = job, account = account, lane = lane, deadline = deadline, submission = submission, text = text }
  end
  return all
end

-- Those whose jobs are unknown, of each job the first.
local function new_ones(all)
  local names, met, found = {}, {}, {}
  for index, one in ipairs(all) do names[index] = key('job', one.job) end
  local none_is_known = redis.call('EXISTS', unpack(names)) == 0
  for index, one in ipairs(all) do
    local is_new = not met[one.job] and (none_is_known or redis.call('EXISTS', names[index]) == 0)
    if is_new then found[#found + 1] = one end
    met[one.job] = true
  end
  return found
end

local function admit_new(new)
  if #new == 0 then return end
  enqueue(new)
  local records, admitted = {}, { 'new' }
  for _, one in ipairs(new) do
    records[#records + 1] = key('job', one.job)
    records[#records + 1] = packed(one.account, one.lane, one.deadline, one.text, one.submission)
    one.reply = admitted
  end
  redis.call('MSET', unpack(records))
end

local source, entry, place = unpack(ARGV, 1, BEFORE)
if not stands(source, entry, place) then return { { 'gone' } } end
local all, replies = admissions(), {}
admit_new(new_ones(all))
for index, one in ipairs(all) do replies[index] = one.reply or admit(one) end
if replies[1][1] ~= 'damaged' then remove(source, entry, place) end
return replies
