-- Publishes a tick, unless a newer leader or a newer tick is there already.
-- KEYS epoch, snapshot, history; ARGV epoch, seq, tick, ticks to keep, channel
-- Answers {0, followers}, {1, newer epoch} or {2, 0}.
local epoch, seq = tonumber(ARGV[1]), tonumber(ARGV[2])
local newest = redis.call('HMGET', KEYS[2], 'epoch', 'seq')
local newest_epoch, newest_seq = tonumber(newest[1]) or 0, tonumber(newest[2]) or 0
local fence = math.max(tonumber(redis.call('GET', KEYS[1])) or 0, newest_epoch)
if fence > epoch then
  return {1, fence}
end
if newest_epoch == epoch and newest_seq >= seq then
  return {2, 0}
end
if fence < epoch then
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('HSET', KEYS[2], 'epoch', ARGV[1], 'seq', ARGV[2], 'tick', ARGV[3])
redis.call('XADD', KEYS[3], 'MAXLEN', '=', ARGV[4], '*', 'tick', ARGV[3])
return {0, redis.call('PUBLISH', ARGV[5], ARGV[3])}
