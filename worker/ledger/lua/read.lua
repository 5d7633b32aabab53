-- read: what the records of jobs hold; for those who only look, and changes nothing.
-- KEYS: meta
-- ARGV: count (of names; 0: all), name, ..., job, ...
-- Reply: for each job { 'found', name, value, ... }, without any where it is unknown, or { 'damaged', why }; of a job that
--        nobody has touched since its admission all names, of others those that were asked for
-- Again: reads anew.
local count = tonumber(ARGV[1])
local names = { unpack(ARGV, 2, count + 1) }

local function read(job)
  local name, found = key('job', job), { 'found' }
  if count > 0 and type_of(name) == 'hash' then
    for place, value in ipairs(redis.call('HMGET', name, unpack(names))) do
      if value then found[#found + 1], found[#found + 2] = names[place], value end
    end
    return found
  end
  local flat, problem = record_of(job)
  if not flat then return { 'damaged', problem } end
  for place, value in ipairs(flat) do found[place + 1] = value end
  return found
end

local replies = {}
for place = count + 2, #ARGV do replies[#replies + 1] = read(ARGV[place]) end
return replies
