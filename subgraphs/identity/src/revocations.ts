import type { Log } from '@sluice/kit/log'
import { redisChannels, type Revocation } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

/**
 * Tells gateways and relays at once what has become void. Ids: `sign-in` and `authtoken` their own, `user` the
 * user's, `membership` is `<organizationId>:<userId>`. Call it after the commit: whoever hears it asks again.
 */
export interface Revocations {
  publish(kind: Revocation['kind'], id: string): Promise<void>
}

export function createRevocations(redis: Redis, log: Log, now: () => Date): Revocations {
  return {
    async publish(kind, id) {
      const revocation: Revocation = { kind, id, at: now().toISOString() }
      try {
        await redis.publish(redisChannels.revocations, JSON.stringify(revocation))
      } catch (error) {
        // The row says so already: gateways ask again within seconds, relays read the list when they connect.
        log.warn({ err: error, kind, id }, 'a revocation could not be announced')
      }
    },
  }
}
