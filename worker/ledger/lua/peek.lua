-- peek: what stands on the request stream and on the lists of the intake queue; nothing is taken.
-- KEYS: meta
-- ARGV: limit (entries from each place), longest_text, longest_item (bytes that are of use), stream, list, ...
-- Reply: { entries, items of the first list, ... }, each oldest first; empty where a key is of another type
--        entry: { id, text of its one field `request`, cut to longest_text, or '' }
--        item: { '', item } or { sha1 of an item longer than longest_item, '' }
-- Again: reads anew.
local limit, longest_text, longest_item, stream = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local function is(place, type)
  return redis.call('TYPE', place).ok == type
end

local function entries()
  local found = {}
  if not is(stream, 'stream') then return found end
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', limit)) do
    local names = entry[2]
    local text = (#names == 2 and names[1] == 'request') and string.sub(names[2], 1, longest_text) or ''
    found[#found + 1] = { entry[1], text }
  end
  return found
end

local function items(list)
  local found = {}
  if not is(list, 'list') then return found end
  local raw = redis.call('LRANGE', list, -limit, -1)
  for index = #raw, 1, -1 do
    local item = raw[index]
    found[#found + 1] = string.len(item) > longest_item and { redis.sha1hex(item), '' } or { '', item }
  end
  return found
end

local found = { entries() }
for place = 5, #ARGV do found[#found + 1] = items(ARGV[place]) end
return found
