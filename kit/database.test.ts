import { expect, inject, test } from 'vitest'

import { forkFor, forkSystem, migrate, openOrm } from './database.ts'
import { Note, noteDatabase } from './fixtures/note.ts'
import { memberOf, openDatabase } from './testing.ts'

const acme = crypto.randomUUID()
const globex = crypto.randomUUID()

async function twoOrganizations() {
  const db = await openDatabase({ serverUrl: inject('databaseUrl'), ...noteDatabase })
  const em = forkSystem(db.orm)
  em.create(Note, { organizationId: acme, text: 'of acme' })
  em.create(Note, { organizationId: globex, text: 'of globex' })
  await em.flush()
  return db
}

test('a member sees the rows of the own organization only', async () => {
  await using db = await twoOrganizations()

  const notes = await forkFor(db.orm, memberOf(acme)).find(Note, {})

  expect(notes.map((note) => note.text)).toEqual(['of acme'])
})

test('a row of another organization looks missing by its id', async () => {
  await using db = await twoOrganizations()
  const foreign = await forkSystem(db.orm).findOneOrFail(Note, { organizationId: globex })

  expect(await forkFor(db.orm, memberOf(acme)).findOne(Note, { id: foreign.id })).toBeNull()
})

test('a query without a tenant scope fails instead of showing everything', async () => {
  await using db = await twoOrganizations()

  await expect(db.orm.em.fork().find(Note, {})).rejects.toThrow('tenant')
})

test('a replica waits longer for the migration of another than for any other lock', async () => {
  await using db = await openDatabase({ serverUrl: inject('databaseUrl'), ...noteDatabase })
  const { promise: held, resolve: hold } = Promise.withResolvers<void>()
  const other = forkSystem(db.orm).transactional(async (em) => {
    await em.execute(`select pg_advisory_xact_lock(hashtextextended('sluice:migrate:notes', 0))`)
    hold()
    await em.execute('select pg_sleep(5.5)')
  })
  await held

  await expect(migrate(db.orm, 'notes')).resolves.toBeUndefined()
  await other
})

test('replicas that start together migrate once', async () => {
  await using db = await openDatabase({ serverUrl: inject('databaseUrl'), ...noteDatabase })
  await forkSystem(db.orm).execute('drop schema notes cascade')
  const replicas = await Promise.all(
    [1, 2, 3].map(() => openOrm({ ...noteDatabase, databaseUrl: db.url })),
  )

  await Promise.all(replicas.map((orm) => migrate(orm, noteDatabase.schema)))

  const [row] = await forkSystem(db.orm).execute<{ count: string }[]>(
    'select count(*) from notes.migrations',
  )
  expect(row?.count).toBe('1')
  await Promise.all(replicas.map((orm) => orm.close()))
})

test('connections that PostgreSQL cuts inside transactions do not use up the pool', async () => {
  await using db = await openDatabase({ serverUrl: inject('databaseUrl'), ...noteDatabase })
  const orm = await openOrm({ ...noteDatabase, databaseUrl: db.url, connectionsMax: 2 })
  const cut = () =>
    forkSystem(orm).transactional((em) =>
      em.execute('select pg_terminate_backend(pg_backend_pid())'),
    )

  const answers = []
  for (let restart = 0; restart < 4; restart += 1) {
    answers.push(...(await Promise.allSettled([cut(), cut()])).map(({ status }) => status))
  }

  expect(new Set(answers)).toEqual(new Set(['rejected']))
  await expect(forkSystem(orm).execute('select 1 as one')).resolves.toEqual([{ one: 1 }])
  await orm.close()
})
