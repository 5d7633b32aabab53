-- expire: open and not in a call -> ended, because its time is up (deadline, wait for evidence) or it is worn out.
-- KEYS: meta
-- ARGV: job, seq (the record's, for which the outcome was written), ending (JSON as for finish), rest,
--       operation (fresh for each time)
-- Reply: 'ended' | 'changed' where the record has moved on or is in a call
-- Again: the same operation is answered 'ended' and changes nothing.
local job, seq, ending, rest, operation = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), ARGV[4], ARGV[5]
local record = fields(job_key(job), 'state', 'seq', 'lost', 'operation')

if record.operation == operation then return 'ended' end
if not OPEN[record.state] or record.state == 'running' or (record.seq or '0') ~= seq then return 'changed' end
local time_is_up = number(redis.call('ZSCORE', key('deadlines'), job) or math.huge) <= now
if not time_is_up and number(record.lost) < LOST_AT_MOST then return 'changed' end
ending.rest = rest
end_run(job, ending)
redis.call('HSET', job_key(job), 'operation', operation)
return 'ended'
