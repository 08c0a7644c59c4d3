import type { Log } from '@sluice/kit/log'
import { redisChannels, type Revocation } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

/**
 * Tells gateways and relays at once what has become void. Ids: `sign-in` and `authtoken` their own, `user` the
 * user's, `membership` is `<organizationId>:<userId>`. Call it after the commit: whoever hears it asks again.
 */
export interface Revocations {
  publish(kind: Revocation['kind'], id: string): Promise<void>
  /** The same for an entry of the revoke list; throws when Redis does not take it. */
  announce(revocation: Revocation): Promise<void>
}

export function createRevocations(redis: Redis, log: Log, now: () => Date): Revocations {
  const announce = async (revocation: Revocation) => {
    await redis.publish(redisChannels.revocations, JSON.stringify(revocation))
  }
  return {
    announce,
    async publish(kind, id) {
      try {
        await announce({ kind, id, at: now().toISOString() })
      } catch (error) {
        // The revoke list has it, which gateways read every second and relays when they connect.
        log.warn({ err: error, kind, id }, 'a revocation could not be announced')
      }
    },
  }
}
