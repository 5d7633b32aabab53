-- peek: what is on the request stream and on the lists of the intake queue; nothing is taken.
-- KEYS: meta
-- ARGV: limit (entries from each place), longest_text, longest_key, longest_item (bytes that are of use), enough (bytes from
--       each place, after which the rest is left for the next round), stream, entry, list, item, ...; entry and item: what
--       to begin behind, '' to begin with the oldest, as where it is gone
-- Reply: { environment, unreadable, entries, items of the first list, ... }. environment: that of the namespace, '' where it is
--        still of none. unreadable: { place, why, place, why, ... } for each key that is of another type or that this user may
--        not read; it has no entries or items here. Entries and items are oldest first.
--        entry: { id, text of its field `request`, text of its field `submission` (each cut to its longest, nil where there
--               is none), 1 where it has other fields or one twice (else 0), digest of all that is in it }
--        item: { '', item } or, longer than longest_item, { its entry for refuse, '' } (see oversize in shared/ways_in.lua)
-- Again: reads anew.
local limit, longest_text, longest_key, longest_item, enough = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]),
  tonumber(ARGV[4]), tonumber(ARGV[5])
local stream, passed, first_list = ARGV[6], ARGV[7], 8
local unreadable = {}
local LONGEST = { request = longest_text, submission = longest_key }

-- flat: names and values of the fields, in any order. Of a field that is there twice neither value is read.
local function seen(id, flat)
  local found, count, is_odd, all = {}, {}, 0, {}
  for place = 1, #flat, 2 do
    local name, value = flat[place], flat[place + 1]
    count[name] = (count[name] or 0) + 1
    if not LONGEST[name] or count[name] > 1 then is_odd = 1 end
    found[name] = count[name] == 1 and string.sub(value, 1, LONGEST[name] or 0)
    all[#all + 1] = string.len(name) .. ':' .. name .. value
  end
  table.sort(all)
  return { id, found.request or false, found.submission or false, is_odd, redis.sha1hex(table.concat(all, '\n')) }
end

-- Whether the key holds something that can be read. One that cannot be read keeps nobody from the others.
local function is_readable(place, wanted)
  local found = redis.pcall('TYPE', place)
  local why = found.err or found.ok ~= wanted and found.ok ~= 'none' and 'it is a ' .. found.ok .. ', not a ' .. wanted
  if why then unreadable[#unreadable + 1], unreadable[#unreadable + 2] = place, why end
  return found.ok == wanted
end

local function entries()
  local found, read, from = {}, 0, passed == '' and '-' or '(' .. passed
  if not is_readable(stream, 'stream') then return found end
  while #found < limit and read < enough do
    local entry = redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
    if not entry then break end
    found[#found + 1] = seen(entry[1], entry[2])
    for _, part in ipairs(entry[2]) do read = read + string.len(part) end
    from = '(' .. entry[1]
  end
  return found
end

local function items(list, last)
  local found, read = {}, 0
  if not is_readable(list, 'list') then return found end
  local place = last ~= '' and redis.call('LPOS', list, last, 'RANK', -1)
  local behind = place and redis.call('LLEN', list) - place or 0
  while #found < limit and read < enough do
    local places = behind + #found
    local item = redis.call('LINDEX', list, -1 - places)
    if not item then break end
    local length = string.len(item)
    found[#found + 1] = length > longest_item and { redis.sha1hex(item) .. ':' .. length .. ':' .. places, '' }
      or { '', item }
    read = read + length
  end
  return found
end

-- Nearly always there is nothing on any list, which is one question; an error (this user may not read one of them) is none.
local lists = {}
for place = first_list, #ARGV, 2 do lists[#lists + 1] = ARGV[place] end
local are_empty = #lists > 0 and redis.pcall('EXISTS', unpack(lists)) == 0

local found = { redis.call('HGET', KEYS[1], 'environment') or '', unreadable, entries() }
for place = first_list, #ARGV, 2 do
  found[#found + 1] = are_empty and {} or items(ARGV[place], ARGV[place + 1])
end
return found
