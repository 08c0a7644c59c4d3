import { defineEntity, p } from '@mikro-orm/core'
import {
  events,
  type EventEnvelope,
  type EventName,
  type EventPayload,
} from '@sluice/schema/events'
import { redisKeys } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

import { forkSystem, type EntityManager, type Orm } from './database.ts'
import type { Log } from './log.ts'

const OutboxEventSchema = defineEntity({
  name: 'OutboxEvent',
  tableName: 'outbox_event',
  indexes: [{ name: 'outbox_event_unpublished', properties: ['publishedAt', 'sequence'] }],
  properties: {
    /** Also the event's version: rises with every event of this source. */
    sequence: p.bigint().primary().autoincrement(),
    id: p
      .uuid()
      .unique()
      .onCreate(() => crypto.randomUUID()),
    name: p.string().length(64),
    entity: p.string().length(120),
    payload: p.json(),
    occurredAt: p.datetime().onCreate(() => new Date()),
    publishedAt: p.datetime().nullable(),
  },
})

/** A fact to tell the other subgraphs, written in the transaction that made it true. */
export class OutboxEvent extends OutboxEventSchema.class {}
OutboxEventSchema.setClass(OutboxEvent)

/** Adds an event to the unit of work: it is published if, and only if, the transaction commits. */
export function recordEvent<N extends EventName>(
  em: EntityManager,
  name: N,
  entity: string,
  payload: EventPayload<N>,
): void {
  em.persist(
    em.create(OutboxEvent, {
      name,
      entity,
      payload: events[name].parse(payload),
      publishedAt: null,
    }),
  )
}

const batchEventsMax = 100
const idlePollMs = 250
const streamEventsMax = 100_000
/** How far back a Redis that lost everything is told again. Consumers drop what they have seen. */
const replayDays = 7
const retentionDays = 30
const pruneEveryMs = 3_600_000

/** Publishes the outbox of one subgraph to Redis, in order, at least once. */
export function openOutboxPublisher(options: {
  orm: Orm
  redis: Redis
  /** The subgraph's name. */
  source: string
  log: Log
}): { wake(): void; close(): Promise<void> } {
  const { orm, redis, source, log } = options
  const marker = `${redisKeys.eventsMarker}:${source}`
  let closed = false
  let wake: () => void = () => undefined
  let failing = false
  let prunedAt = 0

  async function publishBatch(): Promise<number> {
    return forkSystem(orm).transactional(async (em) => {
      const rows = await em.execute<
        {
          sequence: string
          id: string
          name: string
          entity: string
          payload: unknown
          occurred_at: string
        }[]
      >(
        `select sequence, id, name, entity, payload, occurred_at from "${source}".outbox_event
         where published_at is null order by sequence limit ${batchEventsMax} for update skip locked`,
      )
      if (rows.length === 0) return 0
      const pipeline = redis.pipeline()
      for (const row of rows) {
        const envelope: EventEnvelope = {
          id: row.id,
          name: row.name,
          entity: row.entity,
          version: Number(row.sequence),
          occurredAt: new Date(row.occurred_at).toISOString(),
          payload: row.payload,
        }
        pipeline.xadd(
          redisKeys.events,
          'MAXLEN',
          '~',
          streamEventsMax,
          '*',
          'event',
          JSON.stringify(envelope),
        )
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error
      await em.execute(
        `update "${source}".outbox_event set published_at = now() where sequence in (${rows.map(() => '?').join(',')})`,
        rows.map((row) => row.sequence),
      )
      return rows.length
    })
  }

  /** A Redis that was emptied or replaced has no marker: tell it again what happened lately. */
  async function replayAfterLoss(): Promise<void> {
    if ((await redis.exists(marker)) === 1) return
    await forkSystem(orm).execute(
      `update "${source}".outbox_event set published_at = null where occurred_at > now() - interval '${replayDays} days'`,
    )
    // Last: PostgreSQL may have been away, and then the next look has to find it missing again.
    await redis.set(marker, '1')
  }

  async function prune(): Promise<void> {
    if (Date.now() - prunedAt < pruneEveryMs) return
    prunedAt = Date.now()
    await forkSystem(orm).execute(
      `delete from "${source}".outbox_event where published_at < now() - interval '${retentionDays} days'`,
    )
  }

  async function run(): Promise<void> {
    while (!closed) {
      let published = 0
      try {
        if (redis.status === 'ready') {
          await replayAfterLoss()
          published = await publishBatch()
          await prune()
          if (failing) log.info('the outbox is published again')
          failing = false
        }
      } catch (error) {
        // PostgreSQL or Redis is away: the rows wait.
        if (!failing) log.warn({ err: error }, 'the outbox cannot be published')
        failing = true
      }
      if (closed || published === batchEventsMax) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, failing ? idlePollMs * 4 : idlePollMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  const running = run()
  return {
    wake: () => wake(),
    async close() {
      closed = true
      wake()
      await running
    },
  }
}
