-- A topic's state and its position, in one atomic read.
--
-- KEYS  meta, rows, log
-- ARGV  how many of the latest log entries (append topics)
-- Gives {epoch, ms, offset, kind, commit, count, dropped, rows or log entries (latest first)}, or nil.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'ms', 'offset', 'kind', 'commit', 'count', 'dropped')
if not held[1] then return nil end
held[6], held[7] = held[6] or '0', held[7] or '0'
if held[4] == 'keyed' then
  held[8] = redis.call('HGETALL', KEYS[2])
else
  held[8] = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', ARGV[1])
end
return held
