-- The submissions that a record remembers: the last 500 at the least, so that a repeat is recognised. They are text, because
-- an admission has to find one and add one, and must not read hundreds for that (docs/adr/0009).
-- A line break, then one line each, oldest first: digest of the id and of what it asked for, run, joined, replayed. In
-- records of older versions they are JSON objects, `submissions` and `older_submissions`: { id = { run, joined, replayed } }.
local ID_DIGITS, ASKED_DIGITS = 16, 8
local LONGEST_LINE = ID_DIGITS + ASKED_DIGITS + string.len(' 123456789012345 0 0\n')
local KNOWN_BYTES = 500 * LONGEST_LINE

local function id_digest(submission) return string.sub(redis.sha1hex(submission), 1, ID_DIGITS) end

-- Of what a submission asks for, so that the same id with another body can be told.
local function asked_digest(lane, deadline, references, body)
  local asked = lane .. '\n' .. deadline .. '\n' .. references .. '\n' .. body
  return string.sub(redis.sha1hex(asked), 1, ASKED_DIGITS)
end

-- answer: { run, joined, replayed }
local function known_line(submission, asked, answer)
  return id_digest(submission) .. asked .. ' ' .. table.concat(answer, ' ') .. '\n'
end

-- What is remembered once a line is added; the oldest go where there are too many.
local function with_line(known, line)
  local text = (known or '\n') .. line
  local excess = string.len(text) - KNOWN_BYTES
  return excess <= 0 and text or string.sub(text, (string.find(text, '\n', excess, true)))
end

local function is_between(first, last)
  return function(text) return string.sub(text, 1, 1) == first and string.sub(text, -1) == last end
end

-- The fields, and whether one is all there: as much as can be seen without reading it.
local SUBMISSIONS = { known = is_between('\n', '\n'), submissions = is_between('{', '}'),
  older_submissions = is_between('{', '}') }

-- By the id alone: what it asked for was not kept then.
local function answer_of_older_version(record, submission)
  for _, name in ipairs({ 'submissions', 'older_submissions' }) do
    local text = record[name]
    if text and string.find(text, cjson.encode(submission), 1, true) then
      local is_read, answers = pcall(cjson.decode, text)
      if is_read and answers[submission] then return answers[submission] end
    end
  end
  return nil
end

-- The answer that a submission was given before, and the digest of what it asked for; nil where it is new.
local function answer_of(record, submission)
  local known = record.known or ''
  local _, last = string.find(known, '\n' .. id_digest(submission), 1, true)
  if not last then return answer_of_older_version(record, submission) end
  local asked, run, joined, replayed = string.match(known, '^(%x+) (%d+) (%d) (%d)\n', last + 1)
  return asked and { tonumber(run), tonumber(joined), tonumber(replayed) }, asked
end
