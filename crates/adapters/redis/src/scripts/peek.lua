-- How full windows are, by the same rules as admit.lua, changing nothing.
-- KEYS one window each; ARGV limit and length in microseconds of each window
-- Answers for each window: remaining, microseconds until its oldest request leaves.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer = {}
for i, key in ipairs(KEYS) do
  local limit, length = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local inside = '(' .. string.format('%.0f', now - length)
  local first = redis.call('ZRANGEBYSCORE', key, inside, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if first and tonumber(first) > now + length then
    first = nil
  end
  local count = first and redis.call('ZCOUNT', key, inside, '+inf') or 0
  answer[2 * i - 1] = math.max(limit - count, 0)
  answer[2 * i] = math.min((tonumber(first) or now) + length - now, length)
end
return answer
