-- Take a topic, if it is free or its owner has been silent for longer than the lease.
--
-- KEYS  meta
-- ARGV  token, owner in words, lease (ms), kind
-- Gives {'ok'} or {'refused', owner}.
local held = redis.call('HMGET', KEYS[1], 'publisher', 'owner', 'heartbeat')
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local alive = now - tonumber(held[3] or '0') < tonumber(ARGV[3])
if held[1] and held[1] ~= ARGV[1] and alive then return {'refused', held[2] or '?'} end
redis.call('HSET', KEYS[1], 'publisher', ARGV[1], 'owner', ARGV[2], 'kind', ARGV[4],
  'heartbeat', string.format('%.0f', now))
return {'ok'}
