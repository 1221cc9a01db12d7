-- One frame: log entry, state, position and message, in one atomic step.
--
-- KEYS  meta, rows, log
-- ARGV  channel, topic, token ('' = shared), expected epoch ('' = none), expected offset, new epoch,
--       replace ('1'), kind, commit (ms, 0 = as held), log entries, log age (ms), id ('' = none),
--       appended rows ('[…],[…]'), rows that stand in for them where the log is gone,
--       '+' if other topics belong to the same flush, else '-',
--       rows counted before and rows dropped before ('' = as held),
--       rows that come with this frame, rows that were dropped before them,
--       number of upserts, then key, row, key, row …, then keys to delete
-- Gives {'ok', epoch, ms, offset, count, dropped}, {'lost', rows counted or ''} or {'refused', owner}.
local meta, rows, log = KEYS[1], KEYS[2], KEYS[3]
local channel, topic, token = ARGV[1], ARGV[2], ARGV[3]
local expected_epoch, expected_offset, new_epoch = ARGV[4], ARGV[5], ARGV[6]
local replace, kind, commit = ARGV[7] == '1', ARGV[8], tonumber(ARGV[9])
local log_entries, log_age, id = ARGV[10], tonumber(ARGV[11]), ARGV[12]
local appended, recalled, together = ARGV[13], ARGV[14], ARGV[15]
local counted, dropped_before = tonumber(ARGV[16]) or 0, tonumber(ARGV[17]) or 0
local came, newly_dropped, upsert_count = tonumber(ARGV[18]), tonumber(ARGV[19]), tonumber(ARGV[20])
local FIRST, CHUNK, TRIM_EVERY = 21, 1000, 100

local function whole(number) return string.format('%.0f', number) end

local held = redis.call('HMGET', meta, 'epoch', 'offset', 'ms', 'publisher', 'owner', 'commit', 'id',
  'count', 'size', 'dropped')
local epoch, offset, ms, publisher = held[1], held[2], held[3], held[4]
local count, size, dropped = tonumber(held[8] or '0'), tonumber(held[9] or '0'), tonumber(held[10] or '0')

if token ~= '' and publisher and publisher ~= token then return {'refused', held[5] or '?'} end

-- A frame that was said before, or that a later one has overtaken (its connection hung), is done.
local function number_of(one) return tonumber(string.match(one or '', '%-(%d+)$') or '0') end
local function speaker_of(one) return string.match(one or '', '^(.*)%-%d+$') end
if id ~= '' and epoch and speaker_of(id) == speaker_of(held[7]) and number_of(id) <= number_of(held[7]) then
  return {'ok', epoch, ms, offset, whole(count), whole(dropped)}
end
local log_is_gone = redis.call('EXISTS', log) == 0
if token ~= '' and expected_epoch ~= '' and not replace then
  local moved = epoch ~= expected_epoch or offset ~= expected_offset
  local evicted = log_is_gone or redis.call('HLEN', rows) ~= size
  if moved or evicted then return {'lost', held[8] or ''} end
end

-- Without a position in meta the log's last entry tells where to go on.
if not offset and not log_is_gone then
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if last then ms, offset = string.match(last[1], '(%d+)-(%d+)') end
end
if recalled ~= '' then
  if log_is_gone then
    appended, epoch = recalled, nil
  elseif appended == '' and epoch and not replace then
    return {'ok', epoch, ms, offset, whole(count), whole(dropped)}
  end
end
if replace or not epoch then epoch = new_epoch end
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
ms = math.max(tonumber(ms or '0'), now)
offset = tonumber(offset or '0') + 1
count = math.max(count, counted) + came
dropped = math.max(dropped, dropped_before) + newly_dropped
commit = math.max(commit, tonumber(held[6] or '0'))
if commit == 0 then commit = now end

local upserts, deletes = {}, {}
if kind == 'keyed' then
  if replace then redis.call('DEL', rows) end
  local last_upsert = FIRST + upsert_count * 2 - 1
  for i = FIRST, last_upsert, CHUNK do
    redis.call('HSET', rows, unpack(ARGV, i, math.min(i + CHUNK - 1, last_upsert)))
  end
  for i = FIRST, last_upsert, 2 do upserts[#upserts + 1] = ARGV[i] .. ':' .. ARGV[i + 1] end
  for i = last_upsert + 1, #ARGV, CHUNK do
    redis.call('HDEL', rows, unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
  end
  for i = last_upsert + 1, #ARGV do deletes[#deletes + 1] = ARGV[i] end
  size = redis.call('HLEN', rows)
end

local entry = whole(ms) .. '-' .. whole(offset)
local position = epoch .. ':' .. entry
local lag, body = whole(ms - commit), nil
if kind == 'keyed' then
  local set, gone = table.concat(upserts, ','), table.concat(deletes, ',')
  redis.call('XADD', log, 'MAXLEN', '~', log_entries, entry, 'c', lag, 'b', set, 'd', gone)
  body = '"upserts":{' .. set .. '},"deletes":[' .. gone .. ']'
else
  local loss = newly_dropped > 0 and {'x', whole(dropped)} or {}
  redis.call('XADD', log, 'MAXLEN', '~', log_entries, entry, 'c', lag, 'b', appended, unpack(loss))
  body = '"rows":[' .. appended .. ']'
  if newly_dropped > 0 then body = '"dropped":' .. whole(dropped) .. ',' .. body end
end
if offset % TRIM_EVERY == 0 then redis.call('XTRIM', log, 'MINID', '~', whole(ms - log_age)) end

redis.call('HSET', meta, 'epoch', epoch, 'offset', whole(offset), 'ms', whole(ms), 'kind', kind,
  'commit', whole(commit), 'id', id, 'count', whole(count), 'size', whole(size), 'dropped', whole(dropped))
if token ~= '' then redis.call('HSET', meta, 'publisher', token, 'heartbeat', whole(now)) end
redis.call('PUBLISH', channel, position .. together
  .. '{"version":1,"type":"update","payload":{"topic":"' .. topic .. '","position":"' .. position
  .. '","commit":' .. whole(commit) .. ',' .. body .. '}}')
return {'ok', epoch, whole(ms), whole(offset), whole(count), whole(dropped)}
