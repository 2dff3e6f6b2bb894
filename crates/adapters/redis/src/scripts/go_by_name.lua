-- Notes that a process goes by a name, and counts the others that were heard after it first was.
-- KEYS the name; ARGV who, when it was first heard (0: now), ms until one that is silent is forgotten
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local first = tonumber(ARGV[2])
if first == 0 then
  first = now
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local heard = redis.call('ZCOUNT', KEYS[1], string.format('(%.0f', first), '+inf')
if now > first then
  heard = heard - 1
end
return {string.format('%.0f', first), heard}
