-- Entries of stream and queue.

-- An item that is too long to be handed back and forth is known by its `digest:length:places`, `places` being how far it
-- stood from the oldest end. What was taken out since has only brought it nearer. Looked for once in a script; one that
-- is not found there and still stands is met again by the next peek.
local oversize = (function()
  local looked, found = false, nil
  return function(entry, place)
    if looked then return found end
    looked = true
    local digest, length, places = string.match(entry, '^(%x+):(%d+):(%d+)$')
    for index = -1 - tonumber(places), -1 do
      local item = redis.call('LINDEX', place, index)
      if item and string.len(item) == tonumber(length) and redis.sha1hex(item) == digest then
        found = item
        break
      end
    end
    return found
  end
end)()

-- Whether a stream entry or queue item is still there; always true where a request came another way.
local function stands(source, entry, place)
  if source == 'stream' then return #redis.call('XRANGE', place, entry, entry) > 0 end
  if source == 'queue' then return redis.call('LPOS', place, entry, 'RANK', -1) ~= false end
  if source == 'oversize' then return oversize(entry, place) ~= nil end
  return true
end

-- Whether an entry like this one was refused before. refusal: what is remembered of that, '' where nothing is.
local function was_refused(refusal)
  return refusal ~= '' and type(redis.pcall('ZSCORE', key('refused'), refusal)) == 'string'
end

-- '' where the entry is gone now, else why it could not be removed. What was done with it stays done: the next time it is
-- known by its submission, and nothing more comes of it.
local function remove(source, entry, place)
  local reply
  if source == 'stream' then reply = redis.pcall('XDEL', place, entry) end
  if source == 'queue' then reply = redis.pcall('LREM', place, -1, entry) end
  if source == 'oversize' then reply = redis.pcall('LREM', place, -1, oversize(entry, place)) end
  return type(reply) == 'table' and reply.err or ''
end
