import { forkSystem } from '@sluice/kit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openWorld, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import {
  enterprise,
  groupSchemas,
  openProvider,
  patchBody,
  personBody,
  userSchemas,
  type Send,
} from './testing-provider.ts'

let world: World
let owner: Person
let send: Send
beforeAll(async () => {
  world = await openWorld()
  owner = await world.person('Olga')
  await world.tellEntitlements(owner.organizationId, { maxMembers: 50 })
  ;({ send } = await openProvider(world, owner))
})
afterAll(() => world[Symbol.asyncDispose]())

const emailOf = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}@corp.test`

/** As the provisioning service of Entra ID makes somebody. */
async function create(email = emailOf('ada')) {
  const made = await send('POST', '/Users', {
    schemas: [...userSchemas, enterprise],
    externalId: 'alovelace',
    userName: email,
    active: true,
    addresses: [{ primary: false, type: 'work', country: 'UK', formatted: '12 St James’s Square' }],
    displayName: 'Ada Lovelace',
    emails: [{ primary: true, type: 'work', value: email }],
    meta: { resourceType: 'User' },
    name: { familyName: 'Lovelace', formatted: 'Ada Lovelace', givenName: 'Ada' },
    phoneNumbers: [{ primary: null, type: 'mobile', value: '+44 20 7946 0018' }],
    title: 'Analyst',
    [enterprise]: { department: 'Engines', employeeNumber: '1843', manager: { value: 'cbabbage' } },
  })
  expect(made.status).toBe(201)
  return { email, ...made.body, path: `/Users/${made.body.id}` }
}

const read = async (path: string) => (await send('GET', path)).body

test('the connection test, which looks for somebody who is not there, gets an empty list', async () => {
  const { status, body } = await send('GET', `/Users?filter=userName eq "${crypto.randomUUID()}"`)

  expect(status).toBe(200)
  expect(body).toMatchObject({ totalResults: 0, Resources: [] })
})

test('a person comes back with all that was sent, their company included', async () => {
  const made = await create()

  expect(await read(made.path)).toMatchObject({
    schemas: [...userSchemas, enterprise],
    title: 'Analyst',
    addresses: [{ type: 'work', country: 'UK' }],
    phoneNumbers: [{ type: 'mobile', value: '+44 20 7946 0018' }],
    [enterprise]: { department: 'Engines', employeeNumber: '1843', manager: { value: 'cbabbage' } },
  })
})

test.for([
  (email: string) => `emails[type eq "work"].value eq "${email}"`,
  (email: string) => `emails.value eq "${email.toUpperCase()}"`,
  (email: string) => `emails eq "${email}"`,
  (email: string) => `USERNAME Eq "${email}"`,
  (email: string) => `${userSchemas[0]}:userName eq "${email}"`,
  (email: string) => `userName eq "${email}" and active eq "True"`,
  (email: string) => `not (userName ne "${email}") and title pr`,
  (email: string) => `${enterprise}:department eq "Engines" and userName sw "${email.slice(0, 9)}"`,
  (email: string) => `name.familyName co "velac" and userName eq "${email}"`,
  (email: string) => `meta.created gt "2020-01-01T00:00:00Z" and userName eq "${email}"`,
])('it is found by filter %#', async (filterOf) => {
  const { email, id } = await create()

  const { status, body } = await send(
    'GET',
    `/Users?filter=${encodeURIComponent(filterOf(email))}&attributes=id`,
  )

  expect(status).toBe(200)
  expect(body.Resources).toEqual([{ schemas: [...userSchemas, enterprise], id }])
})

test('operations in Entra’s spelling are understood', async () => {
  const { path } = await create()

  const changed = await send(
    'PATCH',
    path,
    patchBody(
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'ada@new.test' },
      { op: 'Add', path: 'emails[type eq "other"].value', value: 'ada@home.test' },
      { op: 'Replace', path: 'name.familyName', value: 'King' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '1' },
      { op: 'Replace', path: `${enterprise}:department`, value: 'Looms' },
      { op: 'Add', path: `${enterprise}:manager`, value: 'mmurray' },
      { op: 'Remove', path: 'title' },
      { op: 'Replace', value: { DisplayName: 'Ada King', 'name.givenName': 'Augusta' } },
      {
        op: 'Replace',
        value: { [enterprise]: { costCenter: 'C1' }, [`${enterprise}:division`]: 'D' },
      },
    ),
  )

  expect(changed.status).toBe(200)
  expect(changed.body).toMatchObject({
    displayName: 'Ada King',
    name: { givenName: 'Augusta', familyName: 'King', formatted: 'Ada Lovelace' },
    emails: [
      { type: 'work', value: 'ada@new.test', primary: true },
      { type: 'other', value: 'ada@home.test' },
    ],
    phoneNumbers: [{ type: 'mobile', value: '1' }],
    [enterprise]: {
      department: 'Looms',
      employeeNumber: '1843',
      manager: { value: 'mmurray' },
      costCenter: 'C1',
      division: 'D',
    },
  })
  expect(changed.body).not.toHaveProperty('title')
})

test('"False" as a text suspends, and "True" brings back', async () => {
  const { path } = await create()
  const set = (value: unknown) =>
    send('PATCH', path, patchBody({ op: 'Replace', path: 'active', value }))

  expect((await set('False')).body.active).toBe(false)
  expect((await read(path)).active).toBe(false)
  expect((await set('True')).body.active).toBe(true)
  expect(await set('perhaps')).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
})

test('groups are read without members, and members come and go in bulk by value', async () => {
  const people = [await create(), await create(), await create()]
  const { body: made } = await send('POST', '/Groups', {
    schemas: [
      ...groupSchemas,
      'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group',
    ],
    externalId: '8aa1a0c0',
    displayName: 'Engine room',
    meta: { resourceType: 'Group' },
  })
  const path = `/Groups/${made.id}`
  const members = people.map(({ id }) => ({ $ref: null, value: id }))

  const found = await send(
    'GET',
    '/Groups?excludedAttributes=members&filter=displayName eq "engine room"',
  )
  expect(found.body.Resources).toHaveLength(1)
  expect(found.body.Resources[0]).not.toHaveProperty('members')

  await send('PATCH', path, patchBody({ op: 'Add', path: 'members', value: members }))
  expect((await read(path)).members).toHaveLength(3)
  const isMember = `/Groups?excludedAttributes=members&filter=id eq "${made.id}" and members eq "${people[0]?.id}"`
  expect((await send('GET', isMember)).body.totalResults).toBe(1)

  await send(
    'PATCH',
    path,
    patchBody({ op: 'Remove', path: 'members', value: members.slice(0, 2) }),
  )
  expect((await read(path)).members).toMatchObject([{ value: people[2]?.id }])
  expect((await send('GET', isMember)).body.totalResults).toBe(0)

  await send('PATCH', path, patchBody({ op: 'Remove', path: 'members' }))
  expect((await read(path)).members).toEqual([])
})

test('whoever has seen an older version changes nothing', async () => {
  const { path } = await create()
  const rename = (value: string, headers: Record<string, string>) =>
    send('PATCH', path, patchBody({ op: 'replace', path: 'displayName', value }), headers)

  const first = await rename('One', { 'if-match': 'W/"1"' })
  const second = await rename('Two', { 'if-match': 'W/"1"' })

  expect(first).toMatchObject({ status: 200, headers: { etag: 'W/"2"' } })
  expect(second.status).toBe(412)
  expect((await send('DELETE', path, undefined, { 'if-match': '"1"' })).status).toBe(412)
  expect(await send('GET', path, undefined, { 'if-none-match': 'W/"2"' })).toMatchObject({
    status: 304,
    body: null,
  })
  expect((await send('GET', path, undefined, { 'if-none-match': 'W/"1"' })).status).toBe(200)
  expect((await rename('Three', { 'if-match': '*' })).status).toBe(200)
})

test('of two that change one person at once with the same version, one does', async () => {
  const { path } = await create()

  const answers = await Promise.all(
    ['One', 'Two'].map((value) =>
      send('PATCH', path, patchBody({ op: 'replace', path: 'displayName', value }), {
        'if-match': 'W/"1"',
      }),
    ),
  )

  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412])
})

test('only what is asked for is answered', async () => {
  const { path, id, email } = await create()

  expect(await read(`${path}?attributes=userName,name.familyName,emails.value,nothing`)).toEqual({
    schemas: [...userSchemas, enterprise],
    id,
    userName: email,
    name: { familyName: 'Lovelace' },
    emails: [{ value: email }],
  })
  const without = await read(
    `${path}?excludedAttributes=id,emails.type,name,meta,${enterprise},groups,addresses`,
  )
  expect(without).toMatchObject({ id, userName: email, emails: [{ value: email, primary: true }] })
  for (const name of ['name', 'meta', enterprise, 'addresses'])
    expect(without).not.toHaveProperty([name])
})

test('pages go on where they ended, and a search by POST is the same', async () => {
  await create()
  await create()
  const all = await read('/Users?count=200')
  const total = all.totalResults as number

  const pages = [
    await read(`/Users?startIndex=1&count=${total - 1}`),
    await read(`/Users?startIndex=${total}&count=${total}`),
  ]
  const ids = pages.flatMap(({ Resources }) => Resources.map((one: { id: string }) => one.id))

  expect(ids).toEqual(all.Resources.map((one: { id: string }) => one.id))
  expect(pages[1]).toMatchObject({ startIndex: total, itemsPerPage: 1, totalResults: total })
  expect(await read('/Users?count=0')).toMatchObject({ totalResults: total, Resources: [] })
  expect((await read('/Users?startIndex=-5&count=-1')).Resources).toEqual([])
  const searched = await send('POST', '/Users/.search', {
    startIndex: 1,
    count: 1,
    attributes: ['id'],
  })
  expect(searched.body).toMatchObject({ totalResults: total, Resources: [{ id: ids[0] }] })
})

test('the name of an account follows the provider only while nobody else sees it', async () => {
  const { email, path } = await create()
  const rename = (value: string) =>
    send('PATCH', path, patchBody({ op: 'replace', path: 'displayName', value }))
  const nameNow = async () => (await forkSystem(world.db.orm).findOneOrFail(User, { email })).name

  await rename('Countess')
  expect(await nameNow()).toBe('Countess')

  const known = await world.person('Otto')
  const { organizationId } = owner
  await forkSystem(world.db.orm).execute(
    `insert into identity.member (id, organization_id, user_id, role, joined_at) values (?, ?, ?, 'VIEWER', now())`,
    [crypto.randomUUID(), organizationId, known.userId],
  )
  const linked = await send('POST', '/Users', personBody(known.email, { displayName: 'Mallory' }))
  await send(
    'PATCH',
    `/Users/${linked.body.id}`,
    patchBody({ op: 'replace', path: 'displayName', value: 'Eve' }),
  )
  expect((await forkSystem(world.db.orm).findOneOrFail(User, { id: known.userId })).name).toBe(
    'Otto',
  )
})
