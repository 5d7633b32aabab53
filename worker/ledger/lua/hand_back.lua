-- hand_back: running -> queued or waiting, uncounted: the call was not made, because its worker cannot make it. A late
-- answer to an earlier call that has said cancelled meanwhile decides now.
-- KEYS: meta
-- ARGV: job, token, nonce
-- Reply: 'back', or 'late' where the lease is no longer this call's
-- Again: the same, nothing more changes.
local job, token, nonce = unpack(ARGV)
local hash = job_key(job)
local record = fields(hash, 'state', 'token', 'nonce', 'account', 'lane', 'due', 'next', 'failing', 'parked_at')

if record.nonce ~= nonce then return 'late' end
if record.state ~= 'running' then return 'back' end
if record.token ~= token then return 'late' end
redis.call('HSET', hash, 'state', record.parked_at and 'waiting' or 'queued')
redis.call('HINCRBY', hash, 'calls', -1)
if asks_to_cancel(record) then redis.call('HINCRBY', hash, 'attempts', -1) end
redis.call('HINCRBY', hash, 'seq', 1)
redis.call('ZREM', key('begun', record.account), job .. ':' .. token)
if not overrule(job, {}) then put_back(job, record) end
return 'back'
