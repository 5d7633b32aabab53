-- Put in front of every transition. KEYS[1] is always <namespace>:meta; all other keys are built from its namespace
-- (one server or one primary with replicas, never Redis Cluster). Times are milliseconds on this server's clock.
local ns = string.sub(KEYS[1], 1, -6)

local LOST_AT_MOST = 3 -- leases of a begun call that may end without an answer before the job is given up
local FAILURES_TO_OPEN = 10 -- TRANSIENT or UNKNOWN answers in a row, of different documents, that open an account's circuit
local PROBE_FIRST_MS, PROBE_CAP_MS = 1000, 10000
local REST = 2 -- how many times as long as a failing document's call took, the next one may have to be put off
local HISTORY, REFERENCES = 20, 1000
local MINUTE_MS = 60000
local GONE_MS = 15000 -- after which a worker that was not seen counts as gone

-- In the order in which they are served. A cancelled document waits in the first for nothing but its evidence.
local LANES = { 'evidence', 'interactive', 'bulk' }

local OPEN = { queued = true, running = true, waiting = true }

local function key(first, second, third)
  local name = ns .. ':' .. first
  if second then name = name .. ':' .. second end
  return third and name .. ':' .. third or name
end
local function account_key(account) return key('account', account) end
local function number(value) return tonumber(value or 0) or 0 end

local now_us = (function()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end)()
local now = math.floor(now_us / 1000)
local now_text = string.format('%d', now)

local function type_of(name) return redis.call('TYPE', name).ok end

-- The named fields of a hash, by name; a missing one is nil.
local function fields(hash, ...)
  local names, found = { ... }, {}
  for place, value in ipairs(redis.call('HMGET', hash, ...)) do
    found[names[place]] = value or nil
  end
  return found
end

-- A date and time as YYYY-MM-DDTHH:MM:SS (proleptic Gregorian calendar), `ms` after the epoch, and the milliseconds left.
local function civil(ms)
  local seconds = math.floor(ms / 1000)
  local days, rest = math.floor(seconds / 86400), seconds % 86400
  local shifted = days + 719468
  local era = math.floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year_of_era = math.floor((day_of_era - math.floor(day_of_era / 1460) + math.floor(day_of_era / 36524)
    - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local month_from_march = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * month_from_march + 2) / 5) + 1
  local month = month_from_march < 10 and month_from_march + 3 or month_from_march - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d', year, month, day,
    math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60), ms % 1000
end

local function utc(ms)
  local text, millis = civil(ms)
  return string.format('%s.%03dZ', text, millis)
end

local function local_time(ms, offset_minutes)
  local text = civil(ms + offset_minutes * 60000)
  local sign = offset_minutes < 0 and '-' or '+'
  return string.format('%s%s%02d:00', text, sign, math.abs(offset_minutes) / 60)
end

-- JSON lists are kept as text, because cjson cannot tell an empty list from an empty object.
local function as_list(items)
  if #items == 0 then return '[]' end
  return cjson.encode(items)
end

local function appended(text, items)
  local all = cjson.decode(text or '[]')
  for _, item in ipairs(items) do all[#all + 1] = item end
  return as_list(all)
end
