-- register: a worker says that it is alive, and which accounts it has.
-- KEYS: meta
-- ARGV: worker, then for each account of its file where they are new or others than before: account, '1' if it serves the
--       account (it can read the secret) or '0', and behind it the provider
-- Reply: 1, or 0 where nothing is known of the worker and its accounts were left out
-- Again: changes nothing more.
local FORGOTTEN_MS = 3600000
local worker = ARGV[1]
local seen, has = redis.call('ZSCORE', key('workers'), worker), key('has', worker)

if #ARGV == 1 and (not seen or redis.call('EXISTS', has) == 0) then return 0 end
if #ARGV > 1 then
  redis.call('DEL', has)
  redis.call('HSET', has, unpack(ARGV, 2))
end
if number(seen) < now - GONE_MS then redis.call('HSET', key('worker', worker), 'since', now) end
redis.call('ZADD', key('workers'), now, worker)

-- After a gap of everybody's (Redis was away) none is forgotten.
if number(redis.call('HGET', key('worker', worker), 'since')) < now - GONE_MS then
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', key('workers'), '-inf', now - FORGOTTEN_MS)) do
    redis.call('DEL', key('has', gone), key('worker', gone))
    redis.call('ZREM', key('workers'), gone)
  end
end
return 1
