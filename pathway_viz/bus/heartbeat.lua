-- Say that the publisher lives, and learn whether Redis still holds what it wrote last.
--
-- KEYS  meta, rows, log
-- ARGV  token, expected epoch ('' = none yet), expected offset
-- Gives {'ok'}, {'lost', rows counted or ''} or {'refused', owner}.
local held = redis.call('HMGET', KEYS[1], 'publisher', 'owner', 'epoch', 'offset', 'size', 'count')
if not held[1] then return {'lost', ''} end
if held[1] ~= ARGV[1] then return {'refused', held[2] or '?'} end
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
redis.call('HSET', KEYS[1], 'heartbeat', string.format('%.0f', now))
if ARGV[2] == '' then return {'ok'} end
local moved = held[3] ~= ARGV[2] or held[4] ~= ARGV[3]
local evicted = redis.call('EXISTS', KEYS[3]) == 0 or redis.call('HLEN', KEYS[2]) ~= tonumber(held[5] or '0')
if moved or evicted then return {'lost', held[6] or ''} end
return {'ok'}
