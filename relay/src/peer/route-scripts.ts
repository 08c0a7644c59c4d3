/**
 * Claims tunnels for a relay, all or none of each: a claim fails when another relay has a right that is newer. What cannot
 * be read as a route gives way. Answers one string per claim: the instant of the claim, or the JSON of the route that
 * stands against it. ARGV: claims as JSON, the relay, how many seconds a claim holds, the two key
 * prefixes, and the key of the ports.
 */
export const claimRoutes = `
local claims, relay, seconds = cjson.decode(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1])
local answers = {}
for index, claim in ipairs(claims) do
  local key = ARGV[4] .. claim.tunnelId
  local at = claim.at
  if at == '' then at = time[1] .. string.format('%06d', time[2]) end
  local entries, outdated, against = redis.call('HGETALL', key), {}, nil
  for i = 1, #entries, 2 do
    if entries[i] ~= relay then
      local read, other = pcall(cjson.decode, entries[i + 1])
      if not read or type(other) ~= 'table' or type(other.epoch) ~= 'number'
        or type(other.seenAt) ~= 'number' or not tonumber(other.at) then
        other = { epoch = claim.epoch, at = '0', seenAt = 0 }
      end
      local together = other.epoch == claim.epoch and other.pooling and claim.pooling
      local newer = other.epoch > claim.epoch
        or (other.epoch == claim.epoch and tonumber(other.at) > tonumber(at))
      if other.seenAt < now - seconds then outdated[#outdated + 1] = entries[i]
      elseif not together then
        if newer then against = entries[i + 1] else outdated[#outdated + 1] = entries[i] end
      end
    end
  end
  if against then answers[index] = against
  else
    for _, other in ipairs(outdated) do redis.call('HDEL', key, other) end
    redis.call('HSET', key, relay, cjson.encode({
      relayId = relay, peerUrl = claim.peerUrl, epoch = claim.epoch, at = at,
      pooling = claim.pooling, handshake = claim.handshake, sessions = claim.sessions, seenAt = now
    }))
    redis.call('EXPIRE', key, seconds)
    for _, name in ipairs(claim.names) do
      redis.call('SET', ARGV[5] .. name, claim.tunnelId, 'EX', seconds)
      if string.find(name, ':', 1, true) then
        redis.call('HSET', ARGV[6], name, cjson.encode({ tunnelId = claim.tunnelId, seenAt = now }))
      end
    end
    answers[index] = at
  end
end
return answers`

/**
 * Gives a claim up, unless a newer one of the same relay has taken its place, and with the last claim the tunnel's ports.
 * KEYS: the routes, the ports; ARGV: relay, instant, tunnel, and its names.
 */
export const releaseRoute = `
local own = redis.call('HGET', KEYS[1], ARGV[1])
if not own or cjson.decode(own).at ~= ARGV[2] then return end
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 then return end
for index = 4, #ARGV do
  local port = redis.call('HGET', KEYS[2], ARGV[index])
  if port and cjson.decode(port).tunnelId == ARGV[3] then redis.call('HDEL', KEYS[2], ARGV[index]) end
end`

/**
 * Answers the ports that are served somewhere, each followed by its tunnel, and forgets those that nobody has claimed
 * lately. KEYS: the ports; ARGV: how many seconds a claim holds.
 */
export const servedPorts = `
local now, ports, entries = tonumber(redis.call('TIME')[1]), {}, redis.call('HGETALL', KEYS[1])
for index = 1, #entries, 2 do
  local read, port = pcall(cjson.decode, entries[index + 1])
  if not read or type(port) ~= 'table' or type(port.seenAt) ~= 'number'
    or type(port.tunnelId) ~= 'string' or port.seenAt < now - tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], entries[index])
  else
    ports[#ports + 1] = entries[index]
    ports[#ports + 1] = port.tunnelId
  end
end
return ports`
