-- Keeps a bulletin, unless the one that is kept is as new or newer. Answers whether it was kept.
-- KEYS bulletin; ARGV microseconds at which it was fetched, the bulletin, seconds it is kept
local known = tonumber(redis.call('HGET', KEYS[1], 'at'))
if known and known >= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'at', ARGV[1], 'bulletin', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
