-- refuse: an invalid request on stream or queue -> its outcome; there is no job.
-- KEYS: meta
-- ARGV: source, entry, place, references (JSON list), rest (JSON text of the outcome's other fields without its brace),
--       job, account ('' where the request does not tell)
-- Reply: 1, or 0 where the entry was taken in before.
-- Again: changes nothing, because the entry is gone.
local source, entry, place, references, rest, job, account = unpack(ARGV)

if not stands(source, entry, place) then return 0 end
local top = head({ references = references, run = 'null', attempts = 0, submitted_at = utc(now), finished_at = utc(now),
  replayed = 'false', warnings = '[]' })
publish(job, account, 'rejected', top .. rest)
remove(source, entry, place)
return 1
