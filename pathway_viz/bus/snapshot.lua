-- A topic's state and its position, in one atomic read.
--
-- KEYS  meta, rows, log
-- ARGV  how many of the latest log entries (append topics)
-- Gives {epoch, ms, offset, kind, commit, count, rows or log entries (latest first)}, or nil.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'ms', 'offset', 'kind', 'commit', 'count')
if not held[1] then return nil end
held[6] = held[6] or '0'
if held[4] == 'keyed' then
  held[7] = redis.call('HGETALL', KEYS[2])
else
  held[7] = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', ARGV[1])
end
return held
