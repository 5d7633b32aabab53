-- revoke: open and not in a call -> ended, by an operator.
-- KEYS: meta
-- ARGV: job, seq (the record's, for which the outcome was written), ending (JSON as for finish), rest,
--       operation (fresh for each command)
-- Reply: 'ended' | 'changed' where the record has moved on | 'in call' | 'cancelled' where only the evidence is missing
-- Again: the same operation is answered 'ended' and changes nothing.
local job, seq, ending, rest, operation = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), ARGV[4], ARGV[5]
local record = fields(job_key(job), 'state', 'seq', 'pending', 'operation')

if record.operation == operation then return 'ended' end
if record.state == 'running' then return 'in call' end
if not OPEN[record.state] or (record.seq or '0') ~= seq then return 'changed' end
if record.pending then return 'cancelled' end
ending.rest = rest
end_run(job, ending)
redis.call('HSET', job_key(job), 'operation', operation)
return 'ended'
