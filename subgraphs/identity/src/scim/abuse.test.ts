import { forkSystem } from '@sluice/kit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Member } from '../organization/member.entity.ts'
import { removeMember } from '../organization/member.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { EmailDomain } from '../sso/email-domain.entity.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { mapScimGroup } from './map-group.ts'
import { ScimUser } from './scim-user.entity.ts'
import { openProvider, patchBody, personBody, sender, type Send } from './testing-provider.ts'

let world: World
let owner: Person
let send: Send
beforeAll(async () => {
  world = await openWorld()
  ;({ owner, send } = await openTeam())
})
afterAll(() => world[Symbol.asyncDispose]())

async function openTeam(): Promise<{ owner: Person; send: Send }> {
  const boss = await world.person('Olga')
  await world.tellEntitlements(boss.organizationId, { maxMembers: 100 })
  return { owner: boss, send: (await openProvider(world, boss)).send }
}

const emailOf = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}@corp.test`
const filtered = (filter: string, path = '/Users') =>
  send('GET', `${path}?filter=${encodeURIComponent(filter)}`)

test('a person or group of another organization is missing, for reading and for changing', async () => {
  const others = await openTeam()
  const { body: person } = await others.send('POST', '/Users', personBody(emailOf('eve')))
  const { body: group } = await others.send('POST', '/Groups', {
    displayName: 'Theirs',
    members: [{ value: person.id }],
  })
  const { body: mine } = await send('POST', '/Groups', {
    displayName: `Mine ${crypto.randomUUID()}`,
  })
  const rename = patchBody({ op: 'replace', path: 'displayName', value: 'Mine' })

  const statuses = [
    await send('GET', `/Users/${person.id}`),
    await send('PUT', `/Users/${person.id}`, personBody(emailOf('x'))),
    await send('PATCH', `/Users/${person.id}`, rename),
    await send('DELETE', `/Users/${person.id}`),
    await send('GET', `/Groups/${group.id}`),
    await send('PUT', `/Groups/${group.id}`, { displayName: 'Mine' }),
    await send('PATCH', `/Groups/${group.id}`, rename),
    await send('DELETE', `/Groups/${group.id}`),
    await send('GET', `/Users/not-an-id`),
    await send('GET', `/Groups/${crypto.randomUUID()}`),
  ].map(({ status }) => status)

  expect(statuses).toEqual(statuses.map(() => 404))
  for (const op of ['add', 'replace', 'remove']) {
    const { status, body } = await send(
      'PATCH',
      `/Groups/${mine.id}`,
      patchBody({ op, path: 'members', value: [{ value: person.id }] }),
    )
    expect([op, status, body.scimType]).toEqual(
      op === 'remove' ? [op, 200, undefined] : [op, 400, 'invalidValue'],
    )
  }
  expect((await filtered(`id eq "${person.id}"`)).body.totalResults).toBe(0)
  expect((await filtered(`members eq "${person.id}"`, '/Groups')).body.totalResults).toBe(0)
  expect((await others.send('GET', `/Groups/${group.id}`)).body.members).toHaveLength(1)
})

test('a foreign, mistyped or missing token is refused alike, and says how to come in', async () => {
  const { secret } = await openProvider(world, owner)
  const wrong = [
    '',
    'slc_',
    secret.slice(0, -1),
    `${secret}x`,
    secret.replace('slc_', 'slt_'),
    `slc_${'0'.repeat(38)}`,
    `' or 1=1 --`,
  ]

  const answers = await Promise.all(wrong.map((one) => sender(world, one)('GET', '/Users')))

  for (const answer of answers) {
    expect(answer).toEqual(answers[0])
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
  }
  const { accessToken } = { accessToken: 'eyJhbGciOiJFZERTQSJ9.e30.c2ln' }
  expect((await sender(world, accessToken)('GET', '/Users')).status).toBe(401)
})

test.for([
  `' or 1=1 --`,
  `x'; drop table identity.member; --`,
  String.raw`\'; select pg_sleep(10); --`,
  `%`,
  `_`,
  `?`,
  `??`,
  `$1`,
  `"`,
  `\\`,
  `{}`,
])('%j in a filter is a text like any other', async (text) => {
  const quoted = JSON.stringify(text)
  for (const operator of ['eq', 'co', 'ew']) {
    for (const name of ['userName', 'emails.value', 'id']) {
      const { status } = await filtered(`${name} ${operator} ${quoted}`)
      expect([name, operator, status]).toEqual([name, operator, 200])
    }
    expect((await filtered(`emails[value ${operator} ${quoted}]`)).status).toBe(200)
    expect((await filtered(`displayName ${operator} ${quoted}`, '/Groups')).status).toBe(200)
  }
  expect((await filtered(`userName co ${quoted}`)).body.totalResults).toBe(0)
})

test('a text that looks like a pattern finds itself and nothing else', async () => {
  for (const name of ['100%', '100x']) {
    await send(
      'POST',
      '/Users',
      personBody(emailOf('p'), { displayName: `${name} ${owner.userId}` }),
    )
  }

  const found = await filtered(`displayName sw "100% ${owner.userId}"`)

  expect(found.body.totalResults).toBe(1)
})

test.for([
  'nothing eq "x"',
  'userName.value eq "x"',
  'emails.nothing eq "x"',
  'emails[nothing eq "x"]',
  'emails[emails[type eq "x"]]',
  'userName[type eq "x"]',
  'name eq "x"',
  'password eq "x"',
  'passwordHash pr',
  'userId eq "x"',
  'organizationId eq "x"',
  'data eq "x"',
  'r.user_id eq "x"',
  'meta.version eq "x"',
  'active gt true',
  'active eq "x"',
  'userName eq 1',
  'userName gt null',
  'meta.created gt "yesterday"',
  'meta.created co "2026"',
  'urn:ietf:params:scim:schemas:core:2.0:Group:displayName eq "x"',
  '__proto__ eq "x"',
  'constructor pr',
])('%j names nothing that can be filtered by', async (filter) => {
  expect(await filtered(filter)).toMatchObject({
    status: 400,
    body: { status: '400', scimType: 'invalidFilter' },
  })
})

test('a filter that is huge or deep is refused before it reaches the database', async () => {
  const deep = `${'('.repeat(500)}userName pr${')'.repeat(500)}`
  const wide = Array.from({ length: 500 }, () => 'id pr').join(' or ')
  const long = `userName eq "${'x'.repeat(10_000)}"`

  for (const filter of [deep, wide, long]) {
    expect(await filtered(filter)).toMatchObject({
      status: 400,
      body: { scimType: 'invalidFilter' },
    })
  }
  const most = Array.from({ length: 50 }, (_, index) => `emails[value co "${index}"]`).join(' or ')
  expect((await filtered(most)).status).toBe(200)
})

test.for([
  ['a body that is no JSON', '{', 'invalidSyntax'],
  ['a list', [], 'invalidSyntax'],
  ['no name', { emails: [{ value: 'a@b.test' }] }, 'invalidValue'],
  ['no email', { userName: 'ada' }, 'invalidValue'],
  ['an email that is none', { userName: 'ada', emails: [{ value: 'a@b@c' }] }, 'invalidValue'],
  ['a name that is no text', { userName: { $gt: '' } }, 'invalidValue'],
  ['a NUL', personBody('nul@corp.test', { title: 'a\0b' }), 'invalidValue'],
  ['half a character', personBody('half@corp.test', { title: '\uD800' }), 'invalidValue'],
  ['a long text', personBody('long@corp.test', { title: 'x'.repeat(1_001) }), 'invalidValue'],
  [
    'too many values',
    personBody('many@corp.test', { phoneNumbers: Array.from({ length: 51 }, (_, i) => `${i}`) }),
    'invalidValue',
  ],
  [
    'too much in all',
    personBody('much@corp.test', {
      addresses: Array.from({ length: 40 }, (_, i) => ({ formatted: `${i}${'x'.repeat(990)}` })),
    }),
    'invalidValue',
  ],
  [
    'a name of control characters',
    personBody('c@corp.test', { displayName: 'a\u202Eb' }),
    'invalidValue',
  ],
] as const)('%s makes no person', async ([, body, scimType]) => {
  expect(await send('POST', '/Users', body)).toMatchObject({ status: 400, body: { scimType } })
})

test('what is not an attribute, or is ours to decide, cannot be written', async () => {
  const { body } = await send(
    'POST',
    '/Users',
    personBody(emailOf('m'), {
      id: crypto.randomUUID(),
      organizationId: crypto.randomUUID(),
      isAdmin: true,
      roles: [{ value: 'OWNER' }],
      groups: [{ value: crypto.randomUUID() }],
      meta: { version: 'W/"99"', created: '1970-01-01T00:00:00Z' },
      __proto__: { isAdmin: true },
    }),
  )

  expect(body.meta.version).toBe('W/"1"')
  for (const name of ['organizationId', 'isAdmin', 'roles', 'groups']) {
    expect(body).not.toHaveProperty(name)
  }
  const path = `/Users/${body.id}`
  for (const name of ['id', 'meta', 'meta.version', 'groups', 'groups[value eq "x"].display']) {
    const refused = await send('PATCH', path, patchBody({ op: 'replace', path: name, value: 'x' }))
    expect([name, refused.status, refused.body.scimType]).toEqual([name, 400, 'mutability'])
  }
  for (const name of ['nothing', '__proto__', 'constructor.name', 'emails[', 'userName[a eq 1]']) {
    const refused = await send('PATCH', path, patchBody({ op: 'replace', path: name, value: 'x' }))
    expect([name, refused.status, refused.body.scimType]).toEqual([name, 400, 'invalidPath'])
  }
  const nameless = await send('PATCH', path, patchBody({ op: 'remove', path: 'userName' }))
  expect(nameless).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
})

test('a patch of which one operation fails changes nothing', async () => {
  const { body } = await send('POST', '/Users', personBody(emailOf('atom')))
  const path = `/Users/${body.id}`

  const { status } = await send(
    'PATCH',
    path,
    patchBody(
      { op: 'replace', path: 'displayName', value: 'Changed' },
      { op: 'replace', path: 'active', value: false },
      { op: 'replace', path: 'nothing', value: 'x' },
    ),
  )

  expect(status).toBe(400)
  expect((await send('GET', path)).body).toEqual(body)
})

test('bodies of no, or too many, operations are refused', async () => {
  const { body } = await send('POST', '/Users', personBody(emailOf('ops')))
  const path = `/Users/${body.id}`
  const one = { op: 'replace', path: 'title', value: 'x' }

  expect((await send('PATCH', path, {})).status).toBe(400)
  expect((await send('PATCH', path, patchBody())).status).toBe(400)
  expect((await send('PATCH', path, patchBody({ op: 'test', path: 'title' }))).status).toBe(400)
  expect((await send('PATCH', path, patchBody({ op: 'remove' }))).body.scimType).toBe('noTarget')
  const many = Array.from({ length: 1_001 }, () => one)
  expect((await send('PATCH', path, patchBody(...many))).status).toBe(413)
})

test('a stranger’s account is not taken, whether they have confirmed their address or not', async () => {
  const stranger = await world.person('Sid')
  const before = await forkSystem(world.db.orm).count(Member, { userId: stranger.userId })

  const unconfirmed = await send('POST', '/Users', personBody(stranger.email))
  await forkSystem(world.db.orm).nativeUpdate(
    User,
    { id: stranger.userId },
    { emailVerifiedAt: world.deps.now() },
  )
  const confirmed = await send('POST', '/Users', personBody(stranger.email))

  for (const { status, body } of [unconfirmed, confirmed]) {
    expect(status).toBe(409)
    expect(body.detail).toMatch(/has an account/)
  }
  const em = forkSystem(world.db.orm)
  expect(await em.count(Member, { userId: stranger.userId })).toBe(before)
  expect(await em.count(ScimUser, { userId: stranger.userId })).toBe(0)
})

test('of a domain that the organization has proved, an account is taken once its holder has confirmed it', async () => {
  const { owner: boss, send: sends } = await openTeam()
  const em = forkSystem(world.db.orm)
  const domain = `${crypto.randomUUID()}.test`
  await em.insert(EmailDomain, {
    id: crypto.randomUUID(),
    organizationId: boss.organizationId,
    domain,
    token: 'x',
    status: 'VERIFIED',
    createdAt: world.deps.now(),
    verifiedAt: world.deps.now(),
    lastCheckedAt: null,
    lastError: null,
  })
  const colleague = await world.person('Carla')
  const email = `carla@${domain}`
  await em.nativeUpdate(User, { id: colleague.userId }, { email, emailVerifiedAt: null })

  const squatted = await sends('POST', '/Users', personBody(email))
  expect(squatted.status).toBe(409)
  expect(squatted.body.detail).toMatch(/never confirmed/)
  await em.nativeUpdate(User, { id: colleague.userId }, { emailVerifiedAt: world.deps.now() })

  const elsewhere = await send('POST', '/Users', personBody(email))
  expect(elsewhere.status).toBe(409)
  const taken = await sends('POST', '/Users', personBody(email))
  expect(taken).toMatchObject({ status: 201, body: { active: true } })
  expect(
    await em.count(Member, { userId: colleague.userId, organizationId: boss.organizationId }),
  ).toBe(1)
  const fresh = await sends('POST', '/Users', personBody(`new@${domain}`))
  expect(fresh.status).toBe(201)
  expect((await em.findOneOrFail(User, { email: `new@${domain}` })).emailVerifiedAt).not.toBeNull()
})

test('whoever was taken out by people is not brought back by a provider', async () => {
  const { body } = await send('POST', '/Users', personBody(emailOf('gone')))
  const em = forkSystem(world.db.orm)
  const { userId } = await em.findOneOrFail(ScimUser, { id: body.id })
  const { id } = await em.findOneOrFail(Member, { organizationId: owner.organizationId, userId })
  await removeMember(await owner.context(), id)
  const path = `/Users/${body.id}`
  expect((await send('GET', path)).body.active).toBe(false)

  const { status } = await send(
    'PATCH',
    path,
    patchBody({ op: 'replace', path: 'active', value: true }),
  )

  expect(status).toBe(403)
  expect(await forkSystem(world.db.orm).count(Member, { userId })).toBe(0)
})

test('a provider brings in no more people than the plan allows', async () => {
  const small = await openTeam()
  await world.tellEntitlements(small.owner.organizationId, { maxMembers: 2 })

  const first = await small.send('POST', '/Users', personBody(emailOf('a')))
  const second = await small.send('POST', '/Users', personBody(emailOf('b')))
  const inactive = await small.send('POST', '/Users', personBody(emailOf('c'), { active: false }))

  expect(first.status).toBe(201)
  expect(second.headers['sluice-error']).toBe('SLUICE_MEMBERS_MAX')
  expect(second.body).toMatchObject({ status: String(second.status) })
  expect(inactive).toMatchObject({ status: 201, body: { active: false } })
  expect((await small.send('GET', '/Users')).body.totalResults).toBe(2)
})

test('ten thousand members get a role in one patch, and one more is refused', async () => {
  const large = await openTeam()
  const { organizationId } = large.owner
  const { body: group } = await large.send('POST', '/Groups', { displayName: 'Everybody' })
  const path = `/Groups/${group.id}`
  const em = forkSystem(world.db.orm)
  await em.execute(
    `with people as (
       insert into identity."user" (id, email, name, is_admin, created_at)
       select gen_random_uuid(), 'mass-' || n || '@corp.test', 'N', false, now() from generate_series(1, 10001) n
       returning id, email),
     members as (
       insert into identity.member (id, organization_id, user_id, role, joined_at)
       select gen_random_uuid(), ?, id, 'VIEWER', now() from people)
     insert into identity.scim_user
       (id, organization_id, user_id, user_name, data, made_account, version, created_at, changed_at)
     select gen_random_uuid(), ?, id, email, '{}', true, 1, now(), now() from people`,
    [organizationId, organizationId],
  )
  const rows = await em.execute<{ id: string }[]>(
    `select id from identity.scim_user where organization_id = ? and user_name like 'mass-%'`,
    [organizationId],
  )
  const members = rows.map(({ id }) => ({ value: id }))
  const add = (value: object[]) =>
    large.send('PATCH', path, patchBody({ op: 'add', path: 'members', value }))
  await mapScimGroup(await large.owner.context(), group.id, { role: 'DEVELOPER' })
  const developers = () => em.count(Member, { organizationId, role: 'DEVELOPER' })

  expect((await add(members)).status).toBe(413)
  const added = await add(members.slice(0, 10_000))
  expect(added.body.members).toHaveLength(10_000)
  expect(await developers()).toBe(10_000)
  expect((await add(members.slice(10_000))).status).toBe(413)
  const listed = await large.send('GET', '/Groups')
  expect(listed.body.itemsPerPage).toBeLessThanOrEqual(listed.body.totalResults)
  expect((await large.send('GET', '/Users?count=100000')).body.itemsPerPage).toBe(200)
  const emptied = await large.send('PATCH', path, patchBody({ op: 'remove', path: 'members' }))
  expect(emptied.body.members).toEqual([])
  expect(await developers()).toBe(0)
}, 60_000)

test('too many calls in a minute are told when to come back, and other organizations are not', async () => {
  const busy = await openTeam()
  for (let index = 0; index < attemptLimits.scimByOrganization.attemptsMax; index += 1) {
    await world.deps.attempts.count(attemptLimits.scimByOrganization, busy.owner.organizationId)
  }

  const refused = await busy.send('GET', '/Users')

  expect(refused.status).toBe(429)
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  expect((await send('GET', '/Users?count=1')).status).toBe(200)
})

test('a group that is mapped to a role by somebody gives no more than they hold', async () => {
  const admin = await world.person('Adam')
  await world.join(owner.organizationId, admin, 'DEVELOPER')
  const { body: group } = await send('POST', '/Groups', { displayName: 'Mapped' })

  await expect(
    mapScimGroup(await admin.context(), group.id, { role: 'VIEWER' }),
  ).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  const stranger = await world.person('Sid')
  await expect(
    mapScimGroup(await stranger.context(), group.id, { role: 'VIEWER' }),
  ).rejects.toMatchObject({ code: 'SLUICE_SCIM_GROUP_NOT_FOUND' })
})
