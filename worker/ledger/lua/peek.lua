-- peek: what stands on the request stream and on the lists of the intake queue; nothing is taken.
-- KEYS: meta
-- ARGV: limit (entries from each place), longest_text, longest_item (bytes that are of use), enough (bytes from each
--       place, after which the rest is left for the next round), stream, entry, list, item, ...; entry and item: what to
--       begin behind, '' to begin with the oldest, as where it is gone
-- Reply: { entries, items of the first list, ... }, each oldest first; empty where a key is of another type
--        entry: { id, text of its one field `request`, cut to longest_text, or '' }
--        item: { '', item } or, longer than longest_item, { its entry for refuse, '' } (see oversize in shared/ways_in.lua)
-- Again: reads anew.
local limit, longest_text, longest_item, enough = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local stream, passed = ARGV[5], ARGV[6]

local function entries()
  local found, read, from = {}, 0, passed == '' and '-' or '(' .. passed
  if type_of(stream) ~= 'stream' then return found end
  while #found < limit and read < enough do
    local entry = redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
    if not entry then break end
    local names = entry[2]
    local text = (#names == 2 and names[1] == 'request') and string.sub(names[2], 1, longest_text) or ''
    found[#found + 1] = { entry[1], text }
    for _, part in ipairs(names) do read = read + string.len(part) end
    from = '(' .. entry[1]
  end
  return found
end

local function items(list, last)
  local found, read = {}, 0
  if type_of(list) ~= 'list' then return found end
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

local found = { entries() }
for place = 7, #ARGV, 2 do found[#found + 1] = items(ARGV[place], ARGV[place + 1]) end
return found
