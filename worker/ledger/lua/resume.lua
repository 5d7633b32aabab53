-- resume: a suspended account goes on, one call at a time until an answer proves it.
-- KEYS: meta
-- ARGV: account, operation (fresh for each command), by
-- Reply: 1 | 0 where it was not suspended | -1 where the account is unknown
-- Again: the same operation is answered 1 and changes nothing.
local account, operation, by = unpack(ARGV)
local hash = account_key(account)
if redis.call('SISMEMBER', key('accounts'), account) == 0 then return -1 end
local state = fields(hash, 'suspended_at', 'operation')
if state.operation == operation then return 1 end
if not state.suspended_at then return 0 end
-- The suspension ends last: a user of Redis who may not do one of these must not leave an account that makes many calls.
put_on_trial(account)
redis.call('HINCRBY', hash, 'generation', 1)
remember_account(account, { what = 'resumed', by = by })
take_turn(account, now)
redis.call('SREM', key('given_up'), account)
redis.call('HDEL', hash, 'suspended_at', 'suspended_reason', 'suspended_code', 'suspended_job', 'suspended_by')
redis.call('HSET', hash, 'operation', operation)
return 1
