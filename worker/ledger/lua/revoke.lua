-- revoke: open and not in a call -> ended, by an operator.
-- KEYS: meta
-- ARGV: job, seq (the record's, for which the outcome was written), ending (JSON as for finish), rest
-- Reply: 'ended' | 'changed' where the record has moved on | 'in call' | 'cancelled' where only the evidence is missing
-- Again: 'changed'.
local job, seq, ending, rest = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), ARGV[4]
local record = fields(job_key(job), 'state', 'seq', 'pending')

if record.state == 'running' then return 'in call' end
if not OPEN[record.state] or record.seq ~= seq then return 'changed' end
if record.pending then return 'cancelled' end
ending.rest = rest
end_run(job, ending)
return 'ended'
