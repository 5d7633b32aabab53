-- refuse: an invalid request on stream or queue -> its outcome; there is no job.
-- KEYS: meta
-- ARGV: source, entry, place, refusal (under which it is remembered, '' where it is not), submission, references (JSON list), rest (JSON text of
--       the outcome's other fields without its brace), job, account ('' where the request does not tell)
-- Reply: { word, why_kept }. word: 'refused'; 'gone' where the entry was taken in before; 'repeated' where the same has been
--        refused before; 'different' where the submission is known for the job, which then asked for something else: then
--        nothing is published. why_kept: why the entry could not be removed, else ''.
-- Again: changes nothing, because the entry is gone or its refusal is remembered.
local source, entry, place, refusal, submission, references, rest, job, account = unpack(ARGV)

local function is_known_for_its_document()
  local record = job ~= '' and examined(job)
  return record and answer_of(record, submission) ~= nil
end

local function refuse()
  if was_refused(refusal) then return 'repeated' end
  if is_known_for_its_document() then return 'different' end
  local top = head({ references = references, run = 'null', attempts = 0, submitted_at = utc(now), finished_at = utc(now),
    replayed = 'false', warnings = '[]' })
  -- An outcome that is not remembered would be published with each repeat. So it has to be certain that it can be (XX changes
  -- nothing), and it is remembered only once it is published.
  if refusal ~= '' then redis.call('ZADD', key('refused'), 'XX', now, refusal) end
  publish(job, account, 'rejected', top .. rest)
  if refusal ~= '' then redis.call('ZADD', key('refused'), now, refusal) end
  return 'refused'
end

if not stands(source, entry, place) then return { 'gone', '' } end
local word = refuse()
return { word, remove(source, entry, place) }
