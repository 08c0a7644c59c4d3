import { defineEntity, p } from '@mikro-orm/core'
import { EventEnvelope, events, type EventName, type EventPayload } from '@sluice/schema/events'
import { redisKeys } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

import { forkSystem, type EntityManager, type Orm } from './database.ts'
import type { Log } from './log.ts'
import { openRedis } from './redis.ts'

const InboxEventSchema = defineEntity({
  name: 'InboxEvent',
  tableName: 'inbox_event',
  properties: {
    id: p.uuid().primary(),
    name: p.string().length(64),
    receivedAt: p.datetime().onCreate(() => new Date()),
    /** Why it was given up, or null when it was applied. */
    failure: p.text().nullable(),
  },
})
/** An event of another subgraph that this one has applied: a second delivery stops here. */
export class InboxEvent extends InboxEventSchema.class {}
InboxEventSchema.setClass(InboxEvent)

const InboxVersionSchema = defineEntity({
  name: 'InboxVersion',
  tableName: 'inbox_version',
  properties: {
    entity: p.string().length(120).primary(),
    /** The event's noun: `domain` for `domain.attached` and `domain.detached`, which overtake each other. */
    noun: p.string().length(64).primary(),
    version: p.bigint(),
  },
})
/** The newest version applied per entity and kind of event: an older event that arrives late is dropped. */
export class InboxVersion extends InboxVersionSchema.class {}
InboxVersionSchema.setClass(InboxVersion)

/** Applies one event inside the transaction that also notes that it was applied. */
export type EventHandlers = {
  [N in EventName]?: (
    em: EntityManager,
    payload: EventPayload<N>,
    envelope: EventEnvelope,
  ) => Promise<void>
}

const batchEventsMax = 50
const blockMs = 2_000
const attemptsMax = 5
const retryMs = 500
const claimIdleMs = 60_000
/** Longer than an emptied Redis is told again (`outbox.ts`), so that no event is applied twice. */
const keptDays = 30
const pruneEveryMs = 3_600_000

/**
 * Consumes events for one subgraph, each applied once however often it is delivered. Several replicas share the
 * work; what a dead one had taken is claimed by another. An event that keeps failing is noted with its reason and
 * left behind, so that it stops nothing.
 */
export function openInbox(options: {
  orm: Orm
  redisUrl: string
  /** The subgraph's name: its consumer group and its PostgreSQL schema. */
  consumer: string
  handlers: EventHandlers
  log: Log
}): { close(): Promise<void> } {
  const { orm, consumer, handlers, log } = options
  const redis = openRedis(options.redisUrl, log, { blocking: true })
  const name = crypto.randomUUID()
  let closed = false

  async function run(): Promise<void> {
    let failing = false
    let claimedAt = 0
    let prunedAt = 0
    while (!closed) {
      try {
        await ensureGroup(redis, consumer)
        if (Date.now() - claimedAt > claimIdleMs) {
          claimedAt = Date.now()
          const [, claimed] = (await redis.xautoclaim(
            redisKeys.events,
            consumer,
            name,
            claimIdleMs,
            '0',
            'COUNT',
            batchEventsMax,
          )) as [string, StreamEntry[]]
          for (const entry of claimed) await settle(entry)
        }
        if (Date.now() - prunedAt > pruneEveryMs) {
          prunedAt = Date.now()
          await prune(orm, consumer)
        }
        const read = (await redis.xreadgroup(
          'GROUP',
          consumer,
          name,
          'COUNT',
          batchEventsMax,
          'BLOCK',
          blockMs,
          'STREAMS',
          redisKeys.events,
          '>',
        )) as [string, StreamEntry[]][] | null
        for (const entry of read?.[0]?.[1] ?? []) await settle(entry)
        failing = false
      } catch (error) {
        if (closed) return
        // NOGROUP after a flush is normal: the next turn makes the group again.
        if (!failing && !String(error).includes('NOGROUP'))
          log.warn({ err: error }, 'events cannot be read')
        failing = true
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }

  /** Applies and acknowledges one entry; gives up with a note after `attemptsMax`. */
  async function settle([entryId, fields]: StreamEntry): Promise<void> {
    const parsed = EventEnvelope.safeParse(parseJson(fields[1]))
    if (parsed.success) {
      const envelope = parsed.data
      for (let attempt = 1; !closed; attempt += 1) {
        try {
          await apply(envelope)
          break
        } catch (error) {
          if (attempt >= attemptsMax) {
            log.error(
              { err: error, eventId: envelope.id, event: envelope.name },
              'an event was given up',
            )
            await giveUp(envelope, error)
            break
          }
          await new Promise((resolve) => setTimeout(resolve, retryMs * attempt))
        }
      }
      if (closed) return
    } else {
      log.error({ entryId }, 'an event is malformed and was dropped')
    }
    await redis.xack(redisKeys.events, consumer, entryId)
  }

  async function apply(envelope: EventEnvelope): Promise<void> {
    if (!Object.hasOwn(handlers, envelope.name)) return
    const eventName = envelope.name as EventName
    const handler = handlers[eventName] as
      | ((em: EntityManager, payload: unknown, envelope: EventEnvelope) => Promise<void>)
      | undefined
    if (!handler) return
    const payload = events[eventName].parse(envelope.payload)
    await forkSystem(orm).transactional(async (em) => {
      const fresh = await em.execute<unknown[]>(
        `insert into "${consumer}".inbox_event (id, name, received_at) values (?, ?, now()) on conflict do nothing returning id`,
        [envelope.id, envelope.name],
      )
      if (fresh.length === 0) return
      const newer = await em.execute<unknown[]>(
        `insert into "${consumer}".inbox_version (entity, noun, version) values (?, ?, ?)
         on conflict (entity, noun) do update set version = excluded.version
         where "${consumer}".inbox_version.version < excluded.version returning version`,
        [envelope.entity, envelope.name.split('.')[0], envelope.version],
      )
      if (newer.length > 0) await handler(em, payload, envelope)
    })
  }

  async function giveUp(envelope: EventEnvelope, error: unknown): Promise<void> {
    await forkSystem(orm).execute(
      `insert into "${consumer}".inbox_event (id, name, received_at, failure) values (?, ?, now(), ?) on conflict do nothing`,
      [envelope.id, envelope.name, String(error).slice(0, 2_000)],
    )
  }

  const running = run()
  return {
    async close() {
      closed = true
      redis.disconnect()
      await running
    },
  }
}

/** Forgets events that cannot come again. What was given up stays, for a person to see. */
async function prune(orm: Orm, schema: string): Promise<void> {
  await forkSystem(orm).execute(
    `delete from "${schema}".inbox_event where failure is null and received_at < now() - interval '${keptDays} days'`,
  )
}

type StreamEntry = [id: string, fields: string[]]

/** Makes the consumer group if it is missing, reading from the start of the stream. */
export async function ensureGroup(
  redis: Redis,
  group: string,
  stream: string = redisKeys.events,
): Promise<void> {
  try {
    await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM')
  } catch (error) {
    if (!String(error).includes('BUSYGROUP')) throw error
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
