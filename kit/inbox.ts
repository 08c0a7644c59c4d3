import { defineEntity, p } from '@mikro-orm/core'
import {
  EventEnvelope,
  events,
  unorderedEvents,
  type EventName,
  type EventPayload,
} from '@sluice/schema/events'
import { redisKeys } from '@sluice/schema/redis'

import { forkSystem, type EntityManager, type Orm } from './database.ts'
import { JobPayloadError } from './job.ts'
import type { Log } from './log.ts'
import { openStreamConsumer, parseJson, type DeadLetter } from './stream-consumer.ts'

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

/** Longer than an emptied Redis is told again (`outbox.ts`), so that no event is applied twice. */
const keptDays = 30
const pruneEveryMs = 3_600_000

/**
 * Consumes events for one subgraph, each applied once however often it is delivered. Several replicas share the
 * work. An event that keeps failing is noted with its reason and left behind, so that it stops nothing; while
 * PostgreSQL or Redis is away nothing is given up.
 */
export function openInbox(options: {
  orm: Orm
  redisUrl: string
  /** The subgraph's name: its consumer group and its PostgreSQL schema. */
  consumer: string
  handlers: EventHandlers
  log: Log
}): { close(): Promise<void> } {
  const { orm, redisUrl, consumer: schema, handlers, log } = options

  async function apply(envelope: EventEnvelope): Promise<void> {
    if (!Object.hasOwn(handlers, envelope.name)) return
    const eventName = envelope.name as EventName
    const handler = handlers[eventName] as
      | ((em: EntityManager, payload: unknown, envelope: EventEnvelope) => Promise<void>)
      | undefined
    if (!handler) return
    const payload = events[eventName].safeParse(envelope.payload)
    if (!payload.success) throw new JobPayloadError(`${envelope.name}: ${payload.error.message}`)
    await forkSystem(orm).transactional(async (em) => {
      if (!(await isFresh(em, schema, envelope))) return
      const isNewest = unorderedEvents.has(eventName) || (await noteVersion(em, schema, envelope))
      if (isNewest) await handler(em, payload.data, envelope)
    })
  }

  async function giveUp({ text, reason }: DeadLetter): Promise<void> {
    const { id, name } = EventEnvelope.catch(malformed).parse(parseJson(text))
    await forkSystem(orm).execute(
      `insert into "${schema}".inbox_event (id, name, received_at, failure) values (?, ?, now(), ?) on conflict do nothing`,
      [id, name, reason],
    )
  }

  /** Forgets events that cannot come again. What was given up stays, for a person to see. */
  async function prune(): Promise<void> {
    await forkSystem(orm).execute(
      `delete from "${schema}".inbox_event where failure is null and received_at < now() - interval '${keptDays} days'`,
    )
  }

  const pruning = () => prune().catch((error: unknown) => log.warn({ err: error }, 'not pruned'))
  let pruned = pruning()
  const timer = setInterval(() => {
    pruned = pruning()
  }, pruneEveryMs)
  const consumer = openStreamConsumer({
    redisUrl,
    stream: redisKeys.events,
    group: schema,
    isShared: true,
    batch: EventEnvelope,
    apply,
    deadLetter: giveUp,
    log,
  })
  return {
    async close() {
      clearInterval(timer)
      await consumer.close()
      await pruned
    },
  }
}

/** Notes the event; false when it was noted before. */
async function isFresh(em: EntityManager, schema: string, event: EventEnvelope): Promise<boolean> {
  const noted = await em.execute<unknown[]>(
    `insert into "${schema}".inbox_event (id, name, received_at) values (?, ?, now()) on conflict do nothing returning id`,
    [event.id, event.name],
  )
  return noted.length > 0
}

/** Notes the version; false when a newer event of the entity was applied. */
async function noteVersion(
  em: EntityManager,
  schema: string,
  event: EventEnvelope,
): Promise<boolean> {
  const noted = await em.execute<unknown[]>(
    `insert into "${schema}".inbox_version (entity, noun, version) values (?, ?, ?)
     on conflict (entity, noun) do update set version = excluded.version
     where "${schema}".inbox_version.version < excluded.version returning version`,
    [event.entity, event.name.split('.')[0], event.version],
  )
  return noted.length > 0
}

/** What stands in the table for an entry that is no event. */
const malformed = (): EventEnvelope => ({
  id: crypto.randomUUID(),
  name: 'malformed',
  entity: '',
  version: 1,
  occurredAt: new Date().toISOString(),
  payload: null,
})
