import { networkOf } from '@sluice/kit/network'
import type { Redis } from 'ioredis'

import type { Anomalies } from './anomalies.ts'

/** A use of an authtoken or API key. */
interface CredentialUse {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly ip: string
}

/** Takes note of where credentials are used from, and reports a network that is new. Never keeps a use from going on. */
export type SeeCredential = (use: CredentialUse) => Promise<void>

const dayMs = 24 * 60 * 60_000
/** In the beginning everything is new: nothing is reported. */
const learningMs = 3 * dayMs
const forgottenAfterMs = 90 * dayMs
/** Whoever is used from more places than this is at home nowhere. */
const networksMax = 64

/** Answers 1 for a network that is new after the time of learning. */
const seeScript = `if redis.call('exists', KEYS[1]) == 0 then redis.call('set', KEYS[2], 1, 'px', ARGV[2]) end
local added = redis.call('sadd', KEYS[1], ARGV[1])
redis.call('pexpire', KEYS[1], ARGV[3])
if redis.call('scard', KEYS[1]) > tonumber(ARGV[4]) then return 0 end
if added == 1 and redis.call('exists', KEYS[2]) == 0 then return 1 end
return 0`

/** In Redis: who loses it learns anew, and no credential is refused for it. */
export function createCredentialNetworks(redis: Redis, anomalies: Anomalies): SeeCredential {
  return async ({ id, organizationId, name, ip }) => {
    if (ip === '') return
    const network = networkOf(ip)
    const keys = [`sluice:{seen-${id}}:networks`, `sluice:{seen-${id}}:learning`]
    const limits = [network, learningMs, forgottenAfterMs, networksMax]
    // While Redis is away nothing is seen.
    const isNew = await redis.eval(seeScript, 2, ...keys, ...limits).catch(() => 0)
    if (isNew !== 1) return
    const details = `${name} was used from ${network}`
    anomalies.report({ kind: 'token-new-network', organizationId, subject: id, ip, details })
  }
}
