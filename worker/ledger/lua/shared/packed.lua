-- A job that nobody has touched since its admission is one string, packed: an import writes it in half the time, and it
-- takes half the memory (docs/adr/0008). It becomes a hash as soon as a transition asks for its key.
-- Lines: 'packed 1', submitted_at, account, lane, deadline, utc_offset_minutes, references, body; all that follows the last
-- line break is the submission. What there is none of is empty.
local LINE = '([^\n]*)\n'
local PACKED = '^packed 1\n' .. string.rep(LINE, 7) .. '(.*)$'

-- text: the lines from utc_offset_minutes on, as `admit` is given them.
local function packed(account, lane, deadline, text, submission)
  return 'packed 1\n' .. now_text .. '\n' .. account .. '\n' .. lane .. '\n' .. deadline .. '\n' .. text .. '\n' .. submission
end

local function lines_of(text) return string.match(text, '^' .. LINE .. LINE .. '(.*)$') end

-- A request as it is kept: the moment of admission stands for an event's time that the producer has left out.
local function completed(body, offset, admitted_at)
  if offset == '' then return body end
  return string.sub(body, 1, -2) .. ',"dhEvento":"' .. local_time(admitted_at, tonumber(offset)) .. '"}'
end

local function is_sound_time(at, offset)
  return at and string.match(at, '^%d+$') and string.len(at) <= 15 and (offset == '' or string.match(offset, '^-?%d%d?%d?$'))
end

-- Names and values of the hash that a packed record stands for, in a flat list; nil where the text is none. Its due time is
-- its place in the lane, which keeps the order of admissions.
local function unpacked(job, text)
  local at, account, lane, deadline, offset, references, body, submission = string.match(text, PACKED)
  if not is_sound_time(at, offset) then return nil end
  local place = redis.pcall('ZSCORE', key('due', account, lane), job)
  local due = type(place) == 'string' and place or at
  local flat = { 'v', '1', 'state', 'queued', 'account', account, 'lane', lane, 'run', '1', 'references', references,
    'request', completed(body, offset, tonumber(at)), 'submitted_at', at, 'due', due }
  local function add(name, value) flat[#flat + 1], flat[#flat + 2] = name, value end
  if deadline ~= '' then add('deadline', deadline) end
  if submission ~= '' then
    add('known', with_line(nil, known_line(submission, asked_digest(lane, deadline, references, body), { 1, 0, 0 })))
  end
  return flat
end

-- The same of a job whose key is of this type; nil where it holds no packed record.
local function unpacked_of(job, kind) return kind == 'string' and unpacked(job, redis.call('GET', key('job', job))) or nil end

-- Nothing of a record is removed before it is certain that the rest can be written. A server that is full, or a user who may
-- not, refuses this first, and the script ends with nothing changed; after it there is no reason left to refuse another.
local is_certain = false
local function make_certain_of_writing()
  if is_certain then return end
  redis.call('HSET', KEYS[1], 'written_at', now_text)
  is_certain = true
end

-- The key of a job's hash.
local asked_for = {}
local function job_key(job)
  local name = key('job', job)
  if asked_for[job] then return name end
  asked_for[job] = true
  local flat = unpacked_of(job, type_of(name))
  if flat then
    make_certain_of_writing()
    redis.call('DEL', name)
    redis.call('HSET', name, unpack(flat))
  end
  return name
end

-- A job's record as a flat list, as it stands; empty where there is none, nil and what is wrong with it where it is none.
local function record_of(job)
  local name = key('job', job)
  local kind = type_of(name)
  if kind == 'none' then return {} end
  local flat = kind == 'hash' and redis.call('HGETALL', name) or unpacked_of(job, kind)
  if flat then return flat end
  return nil, 'it is no record'
end
