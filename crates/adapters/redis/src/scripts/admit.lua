-- Counts one request in its windows, in order, up to the first full one, and looks its session up.
-- KEYS one window each, then the session's mark if there is a session; ARGV limit and length in microseconds of each window
-- Answers {1 if limited + 2 if revoked, then for each window: remaining, microseconds until its oldest request leaves}.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local moment = string.format('%.0f', now)
local windows = #ARGV / 2
local flags, answer = 0, {0}
for i = 1, windows do
  local key, limit, length = KEYS[i], tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  if first and tonumber(first) <= now - length then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - length)
    first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  end
  -- Only a clock set back by more than a window leaves such requests; nobody waits until it has caught up with them.
  if first and tonumber(first) > now + length then
    redis.call('DEL', key)
    first = nil
  end
  local count = first and redis.call('ZCARD', key) or 0
  local full = count >= limit
  if not full then
    local member, twin = moment, 0
    while redis.call('ZADD', key, 'NX', moment, member) == 0 do
      twin = twin + 1
      member = moment .. '.' .. twin
    end
    redis.call('PEXPIRE', key, math.ceil(length / 1000))
    count = count + 1
  end
  answer[2 * i] = math.max(limit - count, 0)
  answer[2 * i + 1] = math.min((tonumber(first) or now) + length - now, length)
  if full then
    flags = 1
    break
  end
end
if KEYS[windows + 1] and redis.call('EXISTS', KEYS[windows + 1]) == 1 then
  flags = flags + 2
end
answer[1] = flags
return answer
