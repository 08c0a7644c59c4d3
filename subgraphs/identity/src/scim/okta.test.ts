import { forkSystem } from '@sluice/kit/database'
import { membershipOf } from '@sluice/kit/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { Authtoken } from '../authtoken/authtoken.entity.ts'
import { createAuthtoken } from '../authtoken/authtoken.ts'
import { createRole } from '../role/role.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { mapScimGroup } from './map-group.ts'
import { ScimUser } from './scim-user.entity.ts'
import {
  baseUrl,
  groupSchemas,
  openProvider,
  patchBody,
  personBody,
  userSchemas,
  type Send,
} from './testing-provider.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

async function openTeam(): Promise<{ owner: Person; send: Send }> {
  const owner = await world.person('Olga')
  await world.tellEntitlements(owner.organizationId, { maxMembers: 50 })
  const { send } = await openProvider(world, owner)
  world.revoked.length = 0
  return { owner, send }
}

const emailOf = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}@corp.test`

/** Somebody who has an account already, and is taken into the organization and then by SCIM. */
async function provisionMember(owner: Person, send: Send, role: 'VIEWER' | 'ADMIN' = 'VIEWER') {
  const person = await world.person('Otto')
  await world.join(owner.organizationId, person, role)
  const made = await send('POST', '/Users', personBody(person.email))
  expect(made.status).toBe(201)
  world.revoked.length = 0
  return { person, id: made.body.id as string }
}

const roleOf = async ({ organizationId }: Person, person: Person) =>
  (await person.context()).principal.memberships.find(
    (one) => one.organizationId === organizationId,
  )?.role

test('the test of a connection finds what Okta looks for', async () => {
  const { send } = await openTeam()

  expect(await send('GET', '/Users?startIndex=1&count=2')).toMatchObject({
    status: 200,
    body: { totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] },
  })
  expect((await send('GET', '/Groups?startIndex=1&count=100')).status).toBe(200)
  expect((await send('GET', '/ServiceProviderConfig')).body).toMatchObject({
    patch: { supported: true },
    bulk: { supported: false },
    filter: { supported: true, maxResults: 200 },
    etag: { supported: true },
  })
  const types = await send('GET', '/ResourceTypes')
  expect(types.body.Resources.map((one: { id: string }) => one.id)).toEqual(['User', 'Group'])
  const { body } = await send('GET', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User')
  expect(body.attributes.map((one: { name: string }) => one.name)).toContain('emails')
  expect((await send('POST', '/Bulk', {})).status).toBe(501)
  expect((await send('GET', '/Me')).status).toBe(501)
  expect((await send('GET', '/Nothing')).status).toBe(404)
  expect(await send('DELETE', '/Users')).toMatchObject({
    status: 405,
    headers: { allow: 'GET, POST' },
  })
})

test('a person who is assigned becomes a member with an account, and nobody needs a password for it', async () => {
  const { owner, send } = await openTeam()
  const email = emailOf('grace')
  const filter = `/Users?filter=userName eq "${email}"&startIndex=1&count=100`
  expect((await send('GET', filter)).body.totalResults).toBe(0)

  const made = await send('POST', '/Users', {
    ...personBody(email, { externalId: '00u1', locale: 'en-US', password: '1mz050nq', groups: [] }),
    displayName: 'Grace Hopper',
  })

  expect(made).toMatchObject({
    status: 201,
    headers: {
      'content-type': 'application/scim+json',
      etag: 'W/"1"',
      location: `${baseUrl}/Users/${made.body.id}`,
    },
    body: {
      schemas: userSchemas,
      userName: email,
      externalId: '00u1',
      active: true,
      displayName: 'Grace Hopper',
      locale: 'en-US',
      emails: [{ value: email, type: 'work', primary: true }],
      meta: {
        resourceType: 'User',
        version: 'W/"1"',
        location: `${baseUrl}/Users/${made.body.id}`,
      },
    },
  })
  expect(made.body).not.toHaveProperty('password')
  const em = forkSystem(world.db.orm)
  const user = await em.findOneOrFail(User, { email })
  expect(user).toMatchObject({ name: 'Grace Hopper', passwordHash: null, emailVerifiedAt: null })
  const found = await send('GET', filter)
  expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id: made.body.id }] })
  expect(world.revoked).toEqual([`membership:${owner.organizationId}:${user.id}`])
  const entries = await em.find(AuditEntry, {
    organizationId: owner.organizationId,
    actorKind: 'scim-token',
  })
  expect(entries.map(({ action, actorName }) => [action, actorName])).toEqual(
    expect.arrayContaining([
      ['scim-user.created', 'SCIM: Okta'],
      ['member.added', 'SCIM: Okta'],
    ]),
  )
})

test('the same person twice is a conflict, by name and by account', async () => {
  const { send } = await openTeam()
  const email = emailOf('grace')
  await send('POST', '/Users', personBody(email))

  const again = [
    await send('POST', '/Users', personBody(email.toUpperCase())),
    await send('POST', '/Users', personBody(email, { userName: 'grace' })),
  ]

  for (const { status, body } of again) {
    expect(status).toBe(409)
    expect(body).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '409',
      scimType: 'uniqueness',
    })
  }
})

test('whoever is unassigned loses the organization and their authtokens at once, and gets back in as they were', async () => {
  const { owner, send } = await openTeam()
  const { organizationId } = owner
  const { person, id } = await provisionMember(owner, send, 'ADMIN')
  const { credential: authtoken } = await createAuthtoken(
    await person.context(),
    organizationId,
    'laptop',
  )

  const off = await send(
    'PATCH',
    `/Users/${id}`,
    patchBody({ op: 'replace', value: { active: false } }),
  )

  expect(off).toMatchObject({ status: 200, body: { active: false } })
  expect(await roleOf(owner, person)).toBeUndefined()
  expect(world.revoked).toEqual([
    `membership:${organizationId}:${person.userId}`,
    `authtoken:${authtoken.id}`,
  ])
  const em = forkSystem(world.db.orm)
  expect((await em.findOneOrFail(Authtoken, { id: authtoken.id })).revokedAt).not.toBeNull()
  expect((await send('GET', '/Users?filter=active eq false')).body.totalResults).toBe(1)

  const on = await send('PUT', `/Users/${id}`, { id, ...personBody(person.email) })

  expect(on).toMatchObject({ status: 200, body: { active: true } })
  expect((await person.context()).principal.memberships).toContainEqual(
    membershipOf(organizationId, 'ADMIN'),
  )
})

test('a deleted person is forgotten; their account is theirs and stays', async () => {
  const { owner, send } = await openTeam()
  const { person, id } = await provisionMember(owner, send)

  expect(await send('DELETE', `/Users/${id}`)).toEqual({ status: 204, headers: {}, body: null })

  expect((await send('GET', `/Users/${id}`)).status).toBe(404)
  expect((await send('DELETE', `/Users/${id}`)).status).toBe(404)
  expect(await roleOf(owner, person)).toBeUndefined()
  expect(await forkSystem(world.db.orm).count(User, { id: person.userId })).toBe(1)
})

test('pushed groups give the role they are mapped to; of several the highest, and without one the least', async () => {
  const { owner, send } = await openTeam()
  const { person, id } = await provisionMember(owner, send)
  const push = (displayName: string, members: object[] = []) =>
    send('POST', '/Groups', { schemas: groupSchemas, displayName, members })
  const [developers, admins] = [
    await push('Developers', [{ value: id, display: person.email }]),
    await push('Admins'),
  ]
  expect(developers.status).toBe(201)
  expect(await roleOf(owner, person)).toBe('VIEWER')

  await mapScimGroup(await owner.context(), developers.body.id, { role: 'DEVELOPER' })
  await mapScimGroup(await owner.context(), admins.body.id, { role: 'ADMIN' })
  expect(await roleOf(owner, person)).toBe('DEVELOPER')
  expect(world.revoked).toEqual([`membership:${owner.organizationId}:${person.userId}`])

  const admin = `/Groups/${admins.body.id}`
  await send('PATCH', admin, patchBody({ op: 'add', path: 'members', value: [{ value: id }] }))
  expect(await roleOf(owner, person)).toBe('ADMIN')
  const { body } = await send('GET', `/Users/${id}`)
  expect(body.groups.map((one: { display: string }) => one.display).toSorted()).toEqual([
    'Admins',
    'Developers',
  ])

  await send('PATCH', admin, patchBody({ op: 'remove', path: `members[value eq "${id}"]` }))
  expect(await roleOf(owner, person)).toBe('DEVELOPER')

  await send('DELETE', `/Groups/${developers.body.id}`)
  expect(await roleOf(owner, person)).toBe('VIEWER')
})

test('a pushed group is renamed as Okta does it, and its members are replaced', async () => {
  const { owner, send } = await openTeam()
  const [first, second] = [await provisionMember(owner, send), await provisionMember(owner, send)]
  const { body: group } = await send('POST', '/Groups', {
    schemas: groupSchemas,
    displayName: 'Ops',
  })
  const path = `/Groups/${group.id}`

  const renamed = await send(
    'PATCH',
    path,
    patchBody({ op: 'replace', value: { id: group.id, displayName: 'Operations' } }),
  )
  expect(renamed.body).toMatchObject({ id: group.id, displayName: 'Operations' })

  const members = (ids: string[]) => ids.map((value) => ({ value }))
  await send('PATCH', path, patchBody({ op: 'add', path: 'members', value: members([first.id]) }))
  const replaced = await send(
    'PATCH',
    path,
    patchBody({ op: 'replace', path: 'members', value: members([second.id]) }),
  )
  expect(replaced.body.members).toEqual([
    {
      value: second.id,
      $ref: `${baseUrl}/Users/${second.id}`,
      display: second.person.email,
      type: 'User',
    },
  ])
  expect((await send('POST', '/Groups', { displayName: 'operations' })).status).toBe(409)
  const put = await send('PUT', path, { displayName: 'Operations', members: members([first.id]) })
  expect(put.body.members.map((one: { value: string }) => one.value)).toEqual([first.id])
})

test('a group may give a role that the organization has made, and whoever comes back has it again', async () => {
  const { owner, send } = await openTeam()
  const { organizationId } = owner
  const { person, id } = await provisionMember(owner, send)
  const role = await createRole(await owner.context(), organizationId, {
    name: 'Keys',
    description: '',
    permissions: ['api-keys.manage'],
  })
  const { body: group } = await send('POST', '/Groups', {
    displayName: 'Key keepers',
    members: [{ value: id }],
  })
  const held = async () =>
    (await person.context()).principal.memberships.find(
      (one) => one.organizationId === organizationId,
    )?.permissions

  await mapScimGroup(await owner.context(), group.id, { role: 'VIEWER', customRoleId: role.id })
  expect(await held()).toBe(role.permissions)
  const set = (active: boolean) =>
    send('PATCH', `/Users/${id}`, patchBody({ op: 'replace', value: { active } }))
  await set(false)
  expect(await held()).toBeUndefined()
  await set(true)
  expect(await held()).toBe(role.permissions)

  // The organization goes with everything in it, whatever points at what.
  const em = forkSystem(world.db.orm)
  await em.execute('delete from identity.organization where id = ?', [organizationId])
  expect(await em.count(ScimUser, { organizationId })).toBe(0)
})

test('an owner is never removed and never gets another role', async () => {
  const { owner, send } = await openTeam()
  const made = await send('POST', '/Users', personBody(owner.email))
  const { body: group } = await send('POST', '/Groups', {
    displayName: 'Viewers',
    members: [{ value: made.body.id }],
  })
  await mapScimGroup(await owner.context(), group.id, { role: 'VIEWER' })

  const path = `/Users/${made.body.id}`
  const refused = [
    await send('DELETE', path),
    await send('PATCH', path, patchBody({ op: 'replace', path: 'active', value: false })),
    await send('PUT', path, personBody(owner.email, { active: false })),
  ]

  for (const { status, body } of refused) {
    expect(status).toBe(403)
    expect(body.detail).toMatch(/Owners are never removed by SCIM/)
  }
  expect(await roleOf(owner, owner)).toBe('OWNER')
  await expect(
    mapScimGroup(await owner.context(), group.id, { role: 'OWNER' }),
  ).rejects.toMatchObject({ code: 'SLUICE_INPUT_INVALID' })
})
