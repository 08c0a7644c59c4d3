/**
 * Claims tunnels for a relay, all or none of each: a claim fails when another relay has a right that is newer. What cannot
 * be read as a route gives way. Answers one string per claim: the instant of the claim, or the JSON of the route that
 * stands against it. ARGV: claims as JSON, the relay, how many seconds a claim holds, and the two key prefixes.
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
    end
    answers[index] = at
  end
end
return answers`

/** Gives a claim up, unless a newer one of the same relay has taken its place. KEYS: the routes; ARGV: relay, instant. */
export const releaseRoute = `
local own = redis.call('HGET', KEYS[1], ARGV[1])
if own and cjson.decode(own).at == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end`
