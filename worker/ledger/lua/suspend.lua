-- suspend: an account stands still, by an operator or because it is not usable.
-- KEYS: meta
-- ARGV: account, operation (fresh for each command), reason, by, job ('' where none caused it)
-- Reply: 1 | 0 where it was suspended before | -1 where the account is unknown
-- Again: the same operation is answered 1 and changes nothing, not even what was resumed since.
local account, operation, reason, by, job = unpack(ARGV)
if redis.call('SISMEMBER', key('accounts'), account) == 0 then return -1 end
local hash = account_key(account)
redis.call('HSETNX', hash, 'generation', 1)
local state = fields(hash, 'generation', 'suspended_at', 'suspension')
if state.suspension == operation then return 1 end
if state.suspended_at then return 0 end
suspend(account, state.generation, { reason = reason, by = by, job = job ~= '' and job or nil })
redis.call('HSET', hash, 'suspension', operation)
return 1
