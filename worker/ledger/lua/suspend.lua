-- suspend: an account stands still, by an operator or because it is not usable.
-- KEYS: meta
-- ARGV: account, reason, by, job ('' where none caused it)
-- Reply: 1 | 0 where it was suspended before | -1 where the account is unknown
-- Again: 0.
local account, reason, by, job = unpack(ARGV)
if redis.call('SISMEMBER', key('accounts'), account) == 0 then return -1 end
redis.call('HSETNX', account_key(account), 'generation', 1)
local state = fields(account_key(account), 'generation', 'suspended_at')
if state.suspended_at then return 0 end
suspend(account, state.generation, { reason = reason, by = by, job = job ~= '' and job or nil })
return 1
