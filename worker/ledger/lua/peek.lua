-- peek: what stands on the request stream or the intake queue; nothing is taken.
-- KEYS: meta
-- ARGV: source ('stream' | 'queue'), place, limit, longest (bytes of a text that are of use)
-- Reply: stream: { { entry id, text of its one field `request`, cut to `longest`, or '' }, ... }
--        queue: { { '', item } or { sha1 of an item longer than `longest`, '' }, ... }, oldest first
-- Again: reads anew.
local source, place, limit, longest = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local found = {}

if source == 'stream' then
  for _, entry in ipairs(redis.call('XRANGE', place, '-', '+', 'COUNT', limit)) do
    local names = entry[2]
    local text = (#names == 2 and names[1] == 'request') and string.sub(names[2], 1, longest) or ''
    found[#found + 1] = { entry[1], text }
  end
else
  local items = redis.call('LRANGE', place, -limit, -1)
  for index = #items, 1, -1 do
    local item = items[index]
    found[#found + 1] = string.len(item) > longest and { redis.sha1hex(item), '' } or { '', item }
  end
end
return found
