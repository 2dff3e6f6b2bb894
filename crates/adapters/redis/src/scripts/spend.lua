-- Counts one call, unless a budget is used up. Answers what had been used before it.
-- KEYS minute, month; ARGV calls a minute, calls a month (-1 for no limit), seconds the two are kept, calls of the
-- month that the caller knows of
local minute = tonumber(redis.call('GET', KEYS[1])) or 0
local month = tonumber(redis.call('GET', KEYS[2])) or 0
local known = tonumber(ARGV[5]) or 0
if known > month then
  -- The count was lost.
  month = known
  redis.call('SET', KEYS[2], month, 'EX', ARGV[4])
end
local per_minute, per_month = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = (per_minute >= 0 and minute >= per_minute) or (per_month >= 0 and month >= per_month)
if not full then
  redis.call('INCR', KEYS[1])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('INCR', KEYS[2])
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
return {minute, month}
