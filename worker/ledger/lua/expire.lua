-- expire: open and not in a call -> ended, because its time is up (deadline, wait for evidence) or it is worn out. Past its
-- deadline a run in doubt goes on with look-ups alone where they can still tell (not where it was past when submitted).
-- KEYS: meta
-- ARGV: job, seq (the record's, for which the outcome was written), ending (JSON as for finish), rest,
--       operation (fresh for each time)
-- Reply: 'ended' | 'looks up' where it goes on | 'changed' where the record has moved on or is in a call
-- Again: the same operation is answered the same and changes nothing.
local job, seq, ending, rest, operation = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), ARGV[4], ARGV[5]
local hash = job_key(job)
local record = fields(hash, 'state', 'seq', 'lost', 'operation', 'account', 'acted', 'in_process', 'pending', 'deadline',
  'submitted_at')
local LOOKS_UP = operation .. ' looks up'

local function may_look_up()
  local is_in_doubt = (record.acted or record.in_process) and not record.pending
  return is_in_doubt and number(record.deadline) > number(record.submitted_at) and answers_look_ups(record.account)
end

-- Whether it is past its deadline, and only look-ups were left when its account was suspended.
local function is_given_up()
  return number(record.deadline or math.huge) <= now and redis.call('ZSCORE', key('look_ups', record.account), job)
    and redis.call('HEXISTS', account_key(record.account), 'suspended_at') == 1
end

local function look_up_only()
  redis.call('HSET', hash, 'next', 'look_up', 'operation', LOOKS_UP)
  redis.call('HINCRBY', hash, 'seq', 1)
  redis.call('ZREM', key('deadlines'), job)
  redis.call('ZADD', key('look_ups', record.account), record.deadline, job)
  remember(job, { what = 'deadline passed', note = 'in doubt: from now on only looked up' })
end

if record.operation == operation then return 'ended' end
if record.operation == LOOKS_UP then return 'looks up' end
if not OPEN[record.state] or record.state == 'running' or (record.seq or '0') ~= seq then return 'changed' end
local is_worn_out = number(record.lost) >= LOST_AT_MOST
if not is_worn_out then
  local time_is_up = number(redis.call('ZSCORE', key('deadlines'), job) or math.huge) <= now
  if not time_is_up and not is_given_up() then return 'changed' end
  if may_look_up() then
    look_up_only()
    return 'looks up'
  end
end
ending.rest = rest
end_run(job, ending)
redis.call('HSET', hash, 'operation', operation)
return 'ended'
