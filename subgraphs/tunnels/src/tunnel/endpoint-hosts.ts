import { forkSystem, type Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'
import { redisKeys } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

import type { Context } from '../context.ts'

/** The hash `redisKeys.endpointHosts`, by which a relay tells an offline host (503) from an unknown one (404). */
export interface EndpointHosts {
  /** Compares everything soon: what a transaction that is still open changes is seen then. */
  changed(): void
  close(): Promise<void>
}

/** Missing after a flush, while the hash itself may hold the few tunnels that were made since. */
const marker = `${redisKeys.endpointHosts}:marker`
/** Says that the hash holds every host, unless it was emptied since it was begun. KEYS: our marker, the mark for relays. */
const markComplete = `if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('SET', KEYS[2], '1') end`
/** A flush is noticed within this time. */
const lookEveryMs = 3_000
/** A write that Redis missed is repaired within this time. */
const compareEveryMs = 30_000
const changedDelayMs = 500
const hostsPerCommand = 1_000

/** Every endpoint host, and its tunnel. */
const endpointHosts = `select endpoint_host as host, id from tunnels.tunnel
   where deleted_at is null and port is null
   union all
   select lower(attached.domain), tunnel.id from tunnels.attached_domain as attached
   join tunnels.tunnel on tunnel.id = attached.tunnel_id
     and tunnel.organization_id = attached.organization_id and tunnel.deleted_at is null`

/** After a commit: the host of a new tunnel, or of one that is gone. A miss is repaired by the next comparison. */
export async function noteEndpointHost(
  { redis, log }: { redis: Redis; log: Log },
  endpointHost: string,
  tunnelId: string | null,
): Promise<void> {
  const written =
    tunnelId === null
      ? redis.hdel(redisKeys.endpointHosts, endpointHost)
      : redis.hset(redisKeys.endpointHosts, endpointHost, tunnelId)
  await written.catch((error: unknown) => log.warn({ err: error }, 'an endpoint host was not told'))
}

/** Whether a tunnel has this host, by the tables: for a relay to which Redis cannot say so. Relay keys only. */
export async function endpointHostExists(
  { principal, parts }: Pick<Context, 'principal' | 'parts'>,
  endpointHost: string,
): Promise<boolean> {
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  const [row] = await forkSystem(parts.orm).execute<{ found: boolean }[]>(
    `select exists (select 1 from (${endpointHosts}) as known where host = ?) as found`,
    [endpointHost.toLowerCase()],
  )
  return row?.found ?? false
}

/** Keeps the hash in step with the tables: at the start, after a flush, and now and then. */
export function openEndpointHosts(options: { orm: Orm; redis: Redis; log: Log }): EndpointHosts {
  const { orm, redis, log } = options
  let closed = false
  let comparedAt = 0
  let failing = false
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()

  const look = (): Promise<void> =>
    (looking = looking.then(async () => {
      if (closed || redis.status !== 'ready') return
      try {
        const due = Date.now() - comparedAt >= compareEveryMs
        if (!due && (await redis.exists(marker)) === 1) return
        // Both noted before the read: what changes or is lost during it is compared again.
        comparedAt = Date.now()
        await redis.set(marker, '1')
        await writeEndpointHosts(orm, redis)
        await redis.eval(markComplete, 2, marker, redisKeys.endpointHostsComplete)
        failing = false
      } catch (error) {
        // PostgreSQL or Redis is away: the next look tries again.
        if (!failing) log.warn({ err: error }, 'endpoint hosts cannot be written')
        failing = true
        comparedAt = 0
      }
    }))

  const next = (delayMs: number): void => {
    clearTimeout(timer)
    if (closed) return
    timer = setTimeout(() => void look().finally(() => next(lookEveryMs)), delayMs)
  }
  // A Redis that comes back may be empty, and relays ask at once.
  redis.on('ready', () => next(0))
  next(0)

  return {
    changed() {
      comparedAt = 0
      next(changedDelayMs)
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await looking
    },
  }
}

/** Writes every endpoint host, and removes those that are no more. */
async function writeEndpointHosts(orm: Orm, redis: Redis): Promise<void> {
  // Read first: what is in Redis now and not in the tables afterwards was deleted, never just made.
  const known = await redis.hkeys(redisKeys.endpointHosts)
  const rows = await forkSystem(orm).execute<{ host: string; id: string }[]>(endpointHosts)
  for (let at = 0; at < rows.length; at += hostsPerCommand) {
    const some = rows.slice(at, at + hostsPerCommand)
    await redis.hset(redisKeys.endpointHosts, ...some.flatMap(({ host, id }) => [host, id]))
  }
  const existing = new Set(rows.map(({ host }) => host))
  const gone = known.filter((host) => !existing.has(host))
  for (let at = 0; at < gone.length; at += hostsPerCommand) {
    await redis.hdel(redisKeys.endpointHosts, ...gone.slice(at, at + hostsPerCommand))
  }
}
