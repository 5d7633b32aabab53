-- admit: (none or ended) -> queued; joins an open run, replays a cancelled one. Several in one call: new jobs together,
-- then the others one after the other.
-- KEYS: meta
-- ARGV: source ('' | 'stream' | 'queue' | 'oversize'), entry, place (the stream or list of the entry), refusal (under which it
--       is remembered if it was refused): with them one admission at the most; first_us ('' for now, else the microsecond
--       of the first in the order of admissions, each of the others one later); then for each admission: job, account,
--       lane, deadline_ms, submission ('' where there is none), text (its lines: see shared/packed.lua)
-- Reply: for each { 'new' } where the job was unknown, else { 'admitted', run, joined, replayed, repeated }, repeated: 1
--        where the submission is known and answered as before, 2 where it asked for something else then; { 'gone' } where
--        the entry was taken in before, { 'refused' } where it was refused before, or { 'damaged', why } where the job's
--        record is. Behind them { 'kept', why } where the entry could not be removed.
-- Again: a known submission or a taken entry changes nothing; without either, a second call joins the first.
local BEFORE, ARGUMENTS = 5, 6 -- of all, and of one admission

-- What is remembered once this submission is; nil where it has no id.
local function remembered(one, record, answer)
  if one.submission == '' then return nil end
  return with_line(record.known, known_line(one.submission, one.asked, answer))
end

local function reply(answer, repeated) return { 'admitted', answer[1], answer[2], answer[3], repeated or 0 } end

-- One more warning, unless it is known.
local function warn(record, text)
  for _, known in ipairs(cjson.decode(record.warnings or '[]')) do
    if known == text then return end
  end
  record.warnings = appended(record.warnings, { text })
end

-- The fields in which a joining request differs from the one that stays.
local function differences(one, record)
  if one.body == record.request then return {} end
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

-- references: those of the record, in a list; one.references has one at the most.
local function add_reference(one, record, references)
  local json = string.sub(one.references, 2, -2)
  if json == '' then return end
  local reference = cjson.decode(one.references)[1]
  for _, known in ipairs(references) do
    if known == reference then return end
  end
  if #references >= REFERENCES then
    warn(record, 'more than 1000 references: the later ones are not kept')
  else
    record.references = string.sub(record.references, 1, -2) .. (#references > 0 and ',' or '') .. json .. ']'
  end
end

-- First into the new lane: a job that is in both is released once, one that is in none never.
local function raise_to_interactive(one, record)
  local bulk = due_key(record.account, place_of(record))
  local due = redis.call('ZSCORE', bulk, one.job)
  record.lane = 'interactive'
  redis.call('HSET', job_key(one.job), 'lane', record.lane)
  if due then
    schedule(one.job, record, tonumber(due))
    redis.call('ZREM', bulk, one.job)
  end
end

local function join(one, record, references)
  local answer, kept, changed = { number(record.run), 1, 0 }, { references = record.references, warnings = record.warnings }, {}
  add_reference(one, record, references)
  local names = differences(one, record)
  if #names > 0 then warn(record, 'a joined request differed in: ' .. table.concat(names, ', ')) end
  record.known = remembered(one, record, answer)
  for _, name in ipairs({ 'references', 'warnings', 'known' }) do
    if record[name] ~= kept[name] then changed[#changed + 1], changed[#changed + 2] = name, record[name] end
  end
  if one.lane == 'interactive' and record.lane == 'bulk' then raise_to_interactive(one, record) end
  if #changed > 0 then redis.call('HSET', job_key(one.job), unpack(changed)) end
  redis.call('HINCRBY', job_key(one.job), 'seq', 1)
  return reply(answer)
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
  local answer = { number(record.run), 0, 1 }
  local known = remembered(one, record, answer)
  make_certain_of_writing()
  publish(one.job, record.account, record.state, top .. string.sub(values.outcome, tonumber(record.head) + 1))
  if known then redis.call('HSET', job_key(one.job), 'known', known) end
  return reply(answer)
end

local function start(one, record)
  local answer = { number(record.run) + 1, 0, 0 }
  start_again({ job = one.job, account = one.account, lane = one.lane, request = completed(one.body, one.offset, now),
    references = one.references, deadline = one.deadline, at_us = one.at_us,
    known = remembered(one, record, answer) }, record)
  return reply(answer)
end

local function admit(one)
  one.offset, one.references, one.body = lines_of(one.text)
  one.asked = asked_digest(one.lane, one.deadline, one.references, one.body)
  local record, problem, references = examined(one.job)
  if not record then return { 'damaged', problem } end
  if one.submission ~= '' then
    local before, asked = answer_of(record, one.submission)
    if before then return reply(before, (asked or one.asked) == one.asked and 1 or 2) end
  end
  if OPEN[record.state] then return join(one, record, references) end
  return record.state == 'cancelled' and replay(one, record) or start(one, record)
end

local function admissions(first_us)
  local all, at_us = {}, math.min(tonumber(first_us) or now_us, now_us)
  for first = BEFORE + 1, #ARGV, ARGUMENTS do
    local job, account, lane, deadline, submission, text = unpack(ARGV, first, first + ARGUMENTS - 1)
    all[#all + 1] = { job = job, account = account, lane = lane, deadline = deadline, submission = submission, text = text,
      at_us = at_us + #all }
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

local function admit_all(all)
  local replies = {}
  admit_new(new_ones(all))
  for index, one in ipairs(all) do replies[index] = one.reply or admit(one) end
  return replies
end

local source, entry, place, refusal, first_us = unpack(ARGV, 1, BEFORE)
if not stands(source, entry, place) then return { { 'gone' } } end
local replies = was_refused(refusal) and { { 'refused' } } or admit_all(admissions(first_us))
if replies[1][1] == 'damaged' then return replies end
local why_kept = remove(source, entry, place)
if why_kept ~= '' then replies[#replies + 1] = { 'kept', why_kept } end
return replies
