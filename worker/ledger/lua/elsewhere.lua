-- elsewhere: whether another live worker has an account; changes nothing.
-- KEYS: meta
-- ARGV: worker (that asks), provider, account ('' for any of the provider)
-- Reply: 1 | 0
-- Again: reads anew. Who was last seen too long ago counts as gone only once the one that asks has been seen without a gap
-- for as long: after an outage of Redis, or where all have started again, the others must have their time.
local worker, provider, account = unpack(ARGV)
local since = tonumber(redis.call('HGET', key('worker', worker), 'since') or now)
local seen_since = since > now - GONE_MS and 0 or now - GONE_MS

local function has(other)
  local all, names = key('has', other), { account }
  if account == '' then names = redis.call('HKEYS', all) end
  for _, name in ipairs(names) do
    if string.sub(redis.call('HGET', all, name) or '', 2) == provider then return true end
  end
  return false
end

for _, other in ipairs(redis.call('ZRANGEBYSCORE', key('workers'), seen_since, '+inf')) do
  if other ~= worker and has(other) then return 1 end
end
return 0
