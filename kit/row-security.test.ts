import { Client } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'

import { forkFor, forkSystem, migrate, openOrm } from './database.ts'
import { Note, noteDatabase } from './fixtures/note.ts'
import { withRowSecurity } from './row-security.ts'
import { memberOf, openEmptyDatabase } from './testing.ts'

const acme = crypto.randomUUID()
const globex = crypto.randomUUID()

/** A database whose owner is no superuser, as in production: superusers see everything, whatever policies say. */
async function openSecured() {
  const empty = await openEmptyDatabase(inject('databaseUrl'))
  const role = `role_${crypto.randomUUID().replaceAll('-', '')}`
  await empty.query(`create role ${role} login password 'secret'`)
  const url = new URL(empty.url)
  await empty.query(`alter database ${url.pathname.slice(1)} owner to ${role}`)
  url.username = role
  url.password = 'secret'
  const open = async (rowSecurity: boolean) => {
    const databaseUrl = rowSecurity ? withRowSecurity(url.href) : url.href
    const orm = await openOrm({ ...noteDatabase, databaseUrl })
    await migrate(orm, 'notes')
    return orm
  }
  const orm = await open(true)
  onTestFinished(async () => {
    await orm.close(true)
    await empty[Symbol.asyncDispose]()
  })
  const em = forkSystem(orm)
  em.create(Note, { organizationId: acme, text: 'of acme' })
  em.create(Note, { organizationId: globex, text: 'of globex' })
  await em.flush()
  return { url: url.href, orm, open }
}

test('a query that forgot the filter shows rows of the own organization only', async () => {
  const { orm } = await openSecured()
  const em = forkFor(orm, memberOf(acme))

  const found = await em.find(Note, {}, { filters: false })
  const counted = await em.execute('select text from notes.note')
  const locked = await em.transactional((inside) => inside.find(Note, {}, { filters: false }))
  const changed = await em.nativeUpdate(Note, {}, { text: 'mine' }, { filters: false })
  const deleted = await forkFor(orm, memberOf(acme)).nativeDelete(
    Note,
    { organizationId: globex },
    { filters: false },
  )

  expect(found.map(({ text }) => text)).toEqual(['of acme'])
  expect(counted).toEqual([{ text: 'of acme' }])
  expect(locked).toHaveLength(1)
  expect([changed, deleted]).toEqual([1, 0])
  expect(await forkSystem(orm).count(Note, {})).toBe(2)
})

test('nobody writes a row of another organization', async () => {
  const { orm } = await openSecured()
  const em = forkFor(orm, memberOf(acme))
  em.create(Note, { organizationId: globex, text: 'smuggled' })
  await expect(em.flush()).rejects.toThrow('row-level security')
})

test('a connection that says nothing sees nothing, also one that was used for somebody before', async () => {
  const { orm, url } = await openSecured()
  await forkFor(orm, memberOf(acme)).find(Note, {})
  const client = new Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())

  expect(await orm.em.fork().execute('select * from notes.note')).toEqual([])
  expect((await client.query('select * from notes.note')).rows).toEqual([])
})

test('switched off, the policies are gone and cost nothing', async () => {
  const { open } = await openSecured()
  const off = await open(false)
  onTestFinished(() => off.close(true))
  const policies = await forkSystem(off).execute('select 1 from pg_policies')
  expect(policies).toEqual([])
  expect(await off.em.fork().execute('select * from notes.note')).toHaveLength(2)
})
