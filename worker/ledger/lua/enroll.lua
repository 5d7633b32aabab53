-- enroll: a worker makes one account and its limits known; the namespace is tied to one environment.
-- KEYS: meta
-- ARGV: environment, account, provider, max_in_flight, max_per_minute ('' for none), inquires ('1' if it can look up)
-- Reply: the environment of the namespace; nothing was changed where it is another one.
-- Again: changes nothing more. One call at a time until an answer proves the account's credentials.
local environment, account, provider, max_in_flight, max_per_minute, inquires = unpack(ARGV)

redis.call('HSETNX', KEYS[1], 'environment', environment)
local recorded = redis.call('HGET', KEYS[1], 'environment')
if recorded ~= environment then return recorded end

local hash = account_key(account)
redis.call('SADD', key('accounts'), account)
redis.call('HSETNX', hash, 'generation', 1)
redis.call('HSET', hash, 'provider', provider, 'max_in_flight', max_in_flight, 'max_per_minute', max_per_minute,
  'inquires', inquires)
put_on_trial(account)
take_turn(account, now)
return recorded
