-- visit: a call outside any run, on an operator's word (evidence once more): whether it may be made now.
-- KEYS: meta
-- ARGV: account, nonce
-- Reply: { 'go', generation } | { 'back', 'suspended' | 'paused' | 'circuit' | 'trial' | 'full' | 'pace', detail }
--        detail: the reason of a suspension, the end of a pause, else ''
-- Again: the same, and it is counted once. It counts as a call begun, but holds no slot of the account, neither proves
-- it nor feeds its circuit: the jobs do that.
local account, nonce = unpack(ARGV)
local state = fields(account_key(account), 'suspended_at', 'suspended_reason', 'hold_until', 'circuit', 'proven',
  'generation', 'max_in_flight', 'max_per_minute', 'slow_until', 'slow_per_minute', 'handed')
local in_flight = redis.call('SCARD', key('flight', account))

if state.suspended_at then return { 'back', 'suspended', state.suspended_reason or '' } end
if number(state.hold_until) > now then return { 'back', 'paused', state.hold_until } end
if state.circuit then return { 'back', 'circuit', '' } end
if state.proven ~= '1' and in_flight > 0 then return { 'back', 'trial', '' } end
if in_flight >= number(state.max_in_flight or 8) then return { 'back', 'full', '' } end
local minute = pace(state)
if minute then
  local begun = key('begun', account)
  local is_counted = redis.call('ZSCORE', begun, nonce)
  if not is_counted and begun_lately(account) + number(state.handed) >= minute then return { 'back', 'pace', '' } end
  redis.call('ZADD', begun, 'NX', now, nonce)
end
return { 'go', number(state.generation) }
