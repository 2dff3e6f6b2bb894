-- Takes the lease if nobody else holds it, and mints its epoch in the same step.
-- KEYS lease, epoch; ARGV holder, term in ms, newest epoch the caller knows of
local held = redis.call('GET', KEYS[1])
local holder = ARGV[1] .. ':'
if held and string.sub(held, 1, #holder) ~= holder then
  return false
end
-- The time makes it grow even when the stored epoch was wiped.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local stored = tonumber(redis.call('GET', KEYS[2])) or 0
local epoch = string.format('%.0f', math.max(now, stored + 1, tonumber(ARGV[3]) + 1))
redis.call('SET', KEYS[2], epoch)
redis.call('SET', KEYS[1], holder .. epoch, 'PX', ARGV[2])
return epoch
