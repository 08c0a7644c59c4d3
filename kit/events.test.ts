import { redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'

import { forkSystem, type Orm } from './database.ts'
import { noteDatabase } from './fixtures/note.ts'
import { openInbox } from './inbox.ts'
import { silentLog } from './log.ts'
import { openOutboxPublisher, recordEvent } from './outbox.ts'
import { redisReady } from './redis.ts'
import { openDatabase, openTestRedis } from './testing.ts'

/** A database, a Redis and an inbox that collects the organizations it hears of. */
async function createWorld() {
  const db = await openDatabase({ serverUrl: inject('databaseUrl'), ...noteDatabase })
  const redisServer = await openTestRedis(inject('redisUrl'))
  const redis = new Redis(redisServer.url)
  await redisReady(redis)
  const heard: string[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const open = () =>
    openInbox({
      orm: db.orm,
      redisUrl: redisServer.url,
      consumer: 'notes',
      log: silentLog,
      handlers: {
        'organization.created': async (_em, { name }) => {
          if (name === 'poison') throw new Error('cannot be applied')
          heard.push(name)
          for (const one of waiting) if (heard.length >= one.count) one.resolve()
        },
      },
    })
  let inbox = open()
  const publisher = openOutboxPublisher({ orm: db.orm, redis, source: 'notes', log: silentLog })
  onTestFinished(async () => {
    await inbox.close()
    await publisher.close()
    redis.disconnect()
    await redisServer[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })
  return {
    orm: db.orm,
    redis,
    heard,
    publisher,
    reopen: async () => {
      await inbox.close()
      inbox = open()
    },
    hears: (count: number) =>
      new Promise<void>((resolve) => {
        if (heard.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
  }
}

async function tell(orm: Orm, name: string, organizationId: string = crypto.randomUUID()) {
  await forkSystem(orm).transactional(async (em) => {
    recordEvent(em, 'organization.created', `organization:${organizationId}`, {
      organizationId,
      name,
      createdBy: crypto.randomUUID(),
    })
  })
}

test('an event of a committed transaction is applied once', async () => {
  const { orm, publisher, heard, hears } = await createWorld()

  await tell(orm, 'acme')
  publisher.wake()
  await hears(1)

  expect(heard).toEqual(['acme'])
})

test('an event of a transaction that was rolled back is never told', async () => {
  const { orm, publisher, heard, hears } = await createWorld()

  const failed = forkSystem(orm).transactional(async (em) => {
    recordEvent(em, 'organization.created', 'organization:1', {
      organizationId: crypto.randomUUID(),
      name: 'never',
      createdBy: crypto.randomUUID(),
    })
    await em.flush()
    throw new Error('rolled back')
  })
  await expect(failed).rejects.toThrow('rolled back')
  await tell(orm, 'after')
  publisher.wake()
  await hears(1)

  expect(heard).toEqual(['after'])
})

test('after Redis lost everything the events are told again and applied no second time', async () => {
  const { orm, redis, publisher, heard, hears } = await createWorld()
  await tell(orm, 'before')
  await hears(1)

  await redis.flushdb()
  await tell(orm, 'after')
  publisher.wake()
  await hears(2)

  expect(heard).toEqual(['before', 'after'])
})

test('after Redis lost everything while PostgreSQL was away the events are told again', async () => {
  const { orm, redis, publisher, hears } = await createWorld()
  const open = () => openOutboxPublisher({ orm, redis, source: 'notes', log: silentLog })
  await tell(orm, 'before')
  await hears(1)
  await publisher.close()

  await redis.flushdb()
  await forkSystem(orm).execute('alter table notes.outbox_event rename to away')
  // It looks once, in vain, before it closes.
  await open().close()
  await forkSystem(orm).execute('alter table notes.away rename to outbox_event')
  const back = open()
  onTestFinished(() => back.close())

  await expect.poll(() => redis.xlen(redisKeys.events)).toBe(1)
})

test('an event that keeps failing is set aside with its reason and stops nothing', async () => {
  const { orm, heard, hears } = await createWorld()

  await tell(orm, 'poison')
  await tell(orm, 'next')
  await hears(1)

  expect(heard).toEqual(['next'])
  const [row] = await forkSystem(orm).execute<{ failure: string }[]>(
    'select failure from notes.inbox_event where failure is not null',
  )
  expect(row?.failure).toContain('cannot be applied')
})

test('an older event that arrives after a newer one of the same entity is dropped', async () => {
  const { orm, redis, heard, hears } = await createWorld()
  const organizationId = crypto.randomUUID()
  const deliver = (name: string, version: number) =>
    redis.xadd(
      redisKeys.events,
      '*',
      'event',
      JSON.stringify({
        id: crypto.randomUUID(),
        name: 'organization.created',
        entity: `organization:${organizationId}`,
        version,
        occurredAt: new Date().toISOString(),
        payload: { organizationId, name, createdBy: crypto.randomUUID() },
      }),
    )

  await deliver('new', 2_000_000)
  await deliver('old', 1_000_000)
  await redis.xadd(redisKeys.events, '*', 'event', 'not json')
  await tell(orm, 'other')
  await hears(2)

  expect(heard).toEqual(['new', 'other'])
})

test('events that cannot come again are forgotten when the inbox opens', async () => {
  const { orm, heard, hears, reopen } = await createWorld()
  await tell(orm, 'old')
  await hears(1)
  // It was heard inside its transaction, whose row shows a moment later.
  await expect
    .poll(() =>
      forkSystem(orm).execute<unknown[]>(
        "update notes.inbox_event set received_at = now() - interval '31 days' returning id",
      ),
    )
    .toHaveLength(1)

  await reopen()
  await tell(orm, 'new')
  await hears(2)

  expect(heard).toEqual(['old', 'new'])
  await expect
    .poll(() => forkSystem(orm).execute<unknown[]>('select id from notes.inbox_event'))
    .toHaveLength(1)
})
