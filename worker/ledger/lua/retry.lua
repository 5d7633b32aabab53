-- retry: ended and not cancelled -> queued: a new run with the same body and references, by an operator.
-- KEYS: meta
-- ARGV: job, operation (fresh for each command), by
-- Reply: { 'queued', run } | { 'unknown' } | { 'open' } | { 'cancelled' } | { 'deadline' } | { 'damaged', why }
-- Again: the same operation is answered the same.
local job, operation, by = unpack(ARGV)
local record, problem = examined(job)

if not record then return { 'damaged', problem } end
if not record.state then return { 'unknown' } end
if record.operation == operation then return { 'queued', tonumber(record.run) } end
if OPEN[record.state] then return { 'open' } end
if record.state == 'cancelled' then return { 'cancelled' } end
if record.deadline and number(record.deadline) <= now then return { 'deadline' } end
start_again({ job = job, account = record.account, lane = record.lane, request = record.request,
  references = record.references, deadline = tonumber(record.deadline) or '' }, record)
redis.call('HSET', job_key(job), 'operation', operation)
remember(job, { what = 'retried', by = by })
return { 'queued', tonumber(record.run) + 1 }
