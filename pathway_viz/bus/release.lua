-- Give a topic free at once, so that the next publisher need not wait for the lease.
--
-- KEYS  meta
-- ARGV  token
if redis.call('HGET', KEYS[1], 'publisher') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'publisher', 'owner')
end
return {'ok'}
