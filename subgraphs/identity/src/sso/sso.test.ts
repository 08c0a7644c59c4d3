import { randomBytes } from 'node:crypto'

import { forkSystem } from '@sluice/kit/database'
import { Sealer } from '@sluice/kit/sealer'
import { rolePermissions } from '@sluice/schema/permissions'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { assertProved } from '../account/assert-proved.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { principalOfSignIn } from '../authenticate/principal-of.ts'
import type { Context } from '../context.ts'
import { createOrganization } from '../organization/organization.ts'
import { signIn } from '../sign-in/sign-in.ts'
import { testPassword, type Person, type World } from '../testing.ts'
import { clientOf, resealClientSecrets, secretOwnerOf } from './client-secret.ts'
import { configureOidc, removeConnection, setEnforcement } from './connection.ts'
import { ssoProofLifeMs } from './enter.ts'
import { configureRoles, roleOf, testedValues } from './role-rules.ts'
import { signOutOfSso } from './sign-out-of-sso.ts'
import { SsoConnection } from './sso-connection.entity.ts'
import { ssoLifeMs } from './sso.ts'
import { findClosedOrganizations, findOffer, leave, startJoining, startTest } from './start-sso.ts'
import {
  confirmAddress,
  enterAs,
  finish,
  giveSecondFactor,
  go,
  openCompany,
  openSsoWorld,
  type Company,
} from './testing-company.ts'
import { oidcClient, openOidcProvider, type TestOidcProvider } from './testing-oidc.ts'

let provider: TestOidcProvider
let other: TestOidcProvider
beforeAll(async () => {
  provider = await openOidcProvider()
  other = await openOidcProvider()
})
afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const interrupted = '/sign-in?problem=SLUICE_SSO_INTERRUPTED'

/** The memberships that a sign-in has now. */
async function held(world: World, { principal }: Context) {
  const { userId, signInId } = principal
  const who = { userId: userId ?? '', signInId: signInId ?? '' }
  const now = await principalOfSignIn(forkSystem(world.db.orm), who, world.deps.now())
  return now && now.memberships.map((one) => one.organizationId)
}

async function auditOf(world: World, organizationId: string, action: string) {
  const found = await forkSystem(world.db.orm).find(AuditEntry, { organizationId, action })
  return found.map((one) => one.details)
}

/** Signs in with the password, as before there was single sign-on. */
async function byPassword(world: World, { email }: { email: string }): Promise<Context> {
  const { context } = world.request()
  await signIn(context, email, testPassword)
  return context
}

test('somebody new becomes a member by signing in, and comes back as the same person', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const who = company.colleague()

  const first = await enterAs(world, company, who)
  const start = (await findOffer(world.request().context, { email: who.email }))?.startPath ?? ''
  const renamed = { ...who, email: 'new-address@elsewhere.example.org' }
  const second = await finish(world, await go(world, provider, start, renamed))
  const again = await enterAs(world, company, who)

  expect(first.path).toBe('/o/acme')
  expect(first.cookie).not.toBe('')
  expect(first.context.principal.memberships).toEqual([
    {
      organizationId: company.organizationId,
      role: 'VIEWER',
      permissions: rolePermissions.VIEWER,
    },
  ])
  // Issuer and subject say who it is; what else is told may change.
  expect(second.context.principal.userId).toBe(first.context.principal.userId)
  expect(again.context.principal.userId).toBe(first.context.principal.userId)
  expect(await auditOf(world, company.organizationId, 'member.added')).toEqual([
    `${who.email} as VIEWER, by single sign-on`,
  ])
})

test('groups decide the role at each sign-in, and nobody becomes owner by them', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const { organizationId, owner } = company
  const roles = {
    organizationId,
    admitsNewMembers: true,
    defaultRole: { role: 'VIEWER' } as const,
    roleAttribute: 'groups',
    mappings: [
      { value: 'ops', given: { role: 'ADMIN' } as const },
      { value: 'dev', given: { role: 'DEVELOPER' } as const },
    ],
  }
  await configureRoles(await owner.context(), roles)
  const who = company.colleague()
  const roleWith = async (...groups: string[]) => {
    const { context } = await enterAs(world, company, { ...who, groups })
    return context.principal.memberships[0]?.role
  }

  expect(await roleWith('all', 'dev', 'ops')).toBe('ADMIN')
  expect(await roleWith('dev')).toBe('DEVELOPER')
  expect(await roleWith()).toBe('VIEWER')
  const asOwner = { ...roles, mappings: [{ value: 'ops', given: { role: 'OWNER' } as const }] }
  await expect(configureRoles(await owner.context(), asOwner)).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
})

test('a test of the connection tells which role the rules of now would give', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const { organizationId, owner } = company
  const told = async (roleAttribute: string) => {
    await configureRoles(await owner.context(), {
      organizationId,
      admitsNewMembers: true,
      defaultRole: { role: 'VIEWER' },
      roleAttribute,
      mappings: [{ value: 'dev', given: { role: 'DEVELOPER' } }],
    })
    const em = forkSystem(world.db.orm)
    const connection = await em.findOneOrFail(SsoConnection, { organizationId })
    const { lastTest } = connection
    return lastTest && roleOf(em, connection, testedValues(connection, lastTest))
  }
  await configureRoles(await owner.context(), {
    organizationId,
    admitsNewMembers: true,
    defaultRole: { role: 'VIEWER' },
    mappings: [],
  })
  const start = await startTest(await owner.context(), organizationId, '/o/acme/sso')
  await finish(
    world,
    await go(world, provider, start, company.colleague({ groups: ['dev'] }), owner),
  )

  // The rules may come after the test.
  expect(await told('groups')).toMatchObject({ given: { role: 'DEVELOPER' }, decidedBy: 'dev' })
  expect(await told('department')).toMatchObject({ given: { role: 'VIEWER' }, decidedBy: null })
})

test('an address of a domain that the organization has not proven is nobody', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const start = (await findOffer(world.request().context, { email: `x@${company.domain}` }))
    ?.startPath
  const victim = await world.person('Victor')
  await confirmAddress(world, victim.userId, victim.email)
  const foreign = '/sign-in?problem=SLUICE_SSO_EMAIL_FOREIGN'

  for (const changed of [
    { email: victim.email },
    { email: `a@sub.${company.domain}` },
    { email: `a@evil.test@${company.domain}.evil.test` },
    { email: undefined },
    { email_verified: false },
    { email_verified: 'false' },
  ]) {
    const who = { ...company.colleague(), ...changed } as ReturnType<Company['colleague']>
    const { path, context } = await finish(world, await go(world, provider, start ?? '', who))
    expect([changed, path === foreign || path.includes('SLUICE_INPUT_INVALID')]).toEqual([
      changed,
      true,
    ])
    expect(context.principal.userId).toBeNull()
  }
})

test('who has an account elsewhere, too, enters this organization and nothing else of theirs', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const person = await world.person('Ada')
  const email = `ada@${company.domain}`
  await confirmAddress(world, person.userId, email)
  await forkSystem(world.db.orm).execute(
    'update identity."user" set is_admin = true where id = ?',
    [person.userId],
  )

  const { context } = await enterAs(world, company, company.colleague({ email }))

  expect(context.principal).toMatchObject({ userId: person.userId, isAdmin: false })
  expect(await held(world, context)).toEqual([company.organizationId])
  await expect(assertProved(context)).rejects.toMatchObject({
    code: 'SLUICE_REAUTHENTICATION_NEEDED',
  })
  await expect(createOrganization(context, 'Mine')).rejects.toMatchObject({
    code: 'SLUICE_SSO_SIGN_IN_ONLY',
  })
  // The other organization does not even hear of it.
  expect(await auditOf(world, person.organizationId, 'sign-in.started')).toHaveLength(1)
})

test('an account whose address nobody confirmed is not taken over, nor handed over', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const squatter = await world.person('Squatter')
  const email = `ceo@${company.domain}`
  await forkSystem(world.db.orm).execute('update identity."user" set email = ? where id = ?', [
    email,
    squatter.userId,
  ])

  const { path } = await enterAs(world, company, company.colleague({ email }))

  expect(path).toBe('/sign-in?problem=SLUICE_SSO_ACCOUNT_UNCONFIRMED')
  expect(await held(world, await squatter.context())).toEqual([squatter.organizationId])
})

test('no identity provider speaks for an owner', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const email = `owner@${company.domain}`
  await confirmAddress(world, company.owner.userId, email)

  const { path, context } = await enterAs(world, company, company.colleague({ email }))

  expect(path).toBe('/sign-in?problem=SLUICE_SSO_OWNER')
  expect(context.principal.userId).toBeNull()
})

test('an organization that takes no new members this way takes none', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  await configureRoles(await company.owner.context(), {
    organizationId: company.organizationId,
    admitsNewMembers: false,
    defaultRole: { role: 'VIEWER' },
    mappings: [],
  })

  expect((await enterAs(world, company)).path).toBe('/sign-in?problem=SLUICE_SSO_NOT_A_MEMBER')
})

test('an answer is good once, in time, in the browser that asked, and for its own connection', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const rival = await openCompany(sso, other)
  const offer = await findOffer(world.request().context, { email: `x@${company.domain}` })
  const back = (who = company.colleague()) => go(world, provider, offer?.startPath ?? '', who)

  const good = await back()
  expect((await finish(world, good)).path).toBe('/')
  expect((await finish(world, good)).path).toBe(interrupted)
  expect((await finish(world, { ...(await back()), browserSecret: null })).path).toBe(interrupted)
  const stolen = { ...(await back()), browserSecret: 'x'.repeat(43) }
  expect((await finish(world, stolen)).path).toBe(interrupted)
  const mixedUp = { ...(await back()), connectionId: rival.connectionId }
  expect((await finish(world, mixedUp)).path).toBe(interrupted)
  const late = await back()
  world.pass(ssoLifeMs + 1)
  expect((await finish(world, late)).path).toBe(interrupted)
})

test('the code of one provider is nothing at another', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const rival = await openCompany(sso, other)
  const start = async (one: Company) =>
    (await findOffer(world.request().context, { email: `x@${one.domain}` }))?.startPath ?? ''

  const honest = await go(world, provider, await start(company), company.colleague())
  const attack = await go(world, other, await start(rival), rival.colleague())
  attack.query.set('code', honest.query.get('code') ?? '')
  const swapped = await finish(world, attack)
  expect(swapped.path).toBe('/sign-in?problem=SLUICE_SSO_ANSWER_REFUSED')
  honest.query.set('iss', other.issuer)
  expect((await finish(world, honest)).path).toBe('/sign-in?problem=SLUICE_SSO_ANSWER_REFUSED')
  expect(await auditOf(world, rival.organizationId, 'sso.sign-in-refused')).toHaveLength(1)
})

test('where single sign-on is required, other sign-ins do not enter, but owners with a second factor do', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const { organizationId, owner } = company
  const member = await world.person('Mia')
  await forkSystem(world.db.orm).execute(
    `insert into identity.member (id, organization_id, user_id, role, joined_at) values (gen_random_uuid(), ?, ?, 'ADMIN', now())`,
    [organizationId, member.userId],
  )
  const inside = await byPassword(world, member)
  expect(await held(world, inside)).toContain(organizationId)

  await expect(
    setEnforcement(await owner.context(), organizationId, 'REQUIRED'),
  ).rejects.toMatchObject({
    code: 'SLUICE_SSO_NO_OWNER_LEFT',
  })
  await giveSecondFactor(world, owner.userId)
  world.revoked.length = 0
  await setEnforcement(await owner.context(), organizationId, 'REQUIRED')

  expect(world.revoked).toContain(`membership:${organizationId}:${member.userId}`)
  expect(await held(world, inside)).toEqual([member.organizationId])
  expect(await held(world, await byPassword(world, member))).toEqual([member.organizationId])
  expect(await held(world, await owner.context())).toContain(organizationId)
  const closed = await findClosedOrganizations(await member.context())
  expect(closed.map(({ id }) => id)).toEqual([organizationId])
  // Who came in by it stays.
  const { context } = await enterAs(world, company)
  expect(await held(world, context)).toEqual([organizationId])
})

test('a member’s own sign-in gains the organization by single sign-on, for a day', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const { organizationId, owner } = company
  await giveSecondFactor(world, owner.userId)
  await setEnforcement(await owner.context(), organizationId, 'REQUIRED')
  const member = await world.person('Mia')
  await forkSystem(world.db.orm).execute(
    `insert into identity.member (id, organization_id, user_id, role, joined_at) values (gen_random_uuid(), ?, ?, 'DEVELOPER', now())`,
    [organizationId, member.userId],
  )
  // Their address here is not one of the company: that they are signed in says who they are.
  const who = company.colleague({ email: 'mia@private.example.org' })
  const join = async (asked: Person) => {
    const start = await startJoining(await asked.context(), organizationId, '/o/acme/tunnels')
    return finish(world, await go(world, provider, start, who, asked))
  }

  expect((await join(member)).path).toBe('/o/acme/tunnels')
  expect(await held(world, await member.context())).toEqual([member.organizationId, organizationId])
  world.pass(ssoProofLifeMs + 1)
  expect(await held(world, await member.context())).toEqual([member.organizationId])

  // Somebody else who is a member does not become them, and who is none gets nowhere.
  const second = await world.person('Max')
  await expect(join(second)).rejects.toMatchObject({ code: 'SLUICE_SSO_NOT_FOUND' })
  await forkSystem(world.db.orm).execute(
    `insert into identity.member (id, organization_id, user_id, role, joined_at) values (gen_random_uuid(), ?, ?, 'DEVELOPER', now())`,
    [organizationId, second.userId],
  )
  expect((await join(second)).path).toBe('/o/acme/tunnels?problem=SLUICE_SSO_OTHER_PERSON')
  expect(await auditOf(world, organizationId, 'sso.linked')).toHaveLength(1)
})

test('whoever is led into the single sign-on that another has asked for passes it for nobody', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const { organizationId, owner } = company
  const thief = await world.person('Theo')
  const victim = await world.person('Vera')
  for (const one of [thief, victim]) await world.join(organizationId, one)
  await giveSecondFactor(world, owner.userId)
  await setEnforcement(await owner.context(), organizationId, 'REQUIRED')
  const colleague = company.colleague()
  const begin = async () => startJoining(await thief.context(), organizationId, '/o/acme')

  // In the browser of the victim, signed in or not.
  for (const browserOf of [victim, undefined]) {
    await expect(go(world, provider, await begin(), colleague, browserOf)).rejects.toMatchObject({
      code: 'SLUICE_SSO_INTERRUPTED',
    })
  }
  expect(await held(world, await thief.context())).toEqual([thief.organizationId])
  expect(await auditOf(world, organizationId, 'sso.linked')).toEqual([])
})

test('a sign-in by single sign-on ends with the day, the connection, and a change of provider', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const { organizationId, owner } = company
  const off = async () => setEnforcement(await owner.context(), organizationId, 'OFF')
  const on = async () => setEnforcement(await owner.context(), organizationId, 'OPTIONAL')

  const day = await enterAs(world, company)
  world.pass(ssoProofLifeMs + 1)
  expect(await held(world, day.context)).toBeNull()

  const { context } = await enterAs(world, company)
  await off()
  expect(await held(world, context)).toBeNull()
  expect(await findOffer(world.request().context, { email: `x@${company.domain}` })).toBeNull()
  await on()
  expect(await held(world, context)).toEqual([organizationId])

  await configureOidc(await owner.context(), {
    organizationId,
    issuer: other.issuer,
    ...oidcClient,
  })
  expect(await held(world, context)).toBeNull()
  await expect(on()).rejects.toMatchObject({ code: 'SLUICE_SSO_UNTESTED' })
  await removeConnection(await owner.context(), organizationId)
  expect(await held(world, context)).toBeNull()
})

test('signing out leads to the provider, where it names a place', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const { context } = await enterAs(world, company)
  const { signInId, userId } = context.principal

  const address = new URL((await signOutOfSso(context)) ?? '')

  expect(address.origin).toBe(provider.issuer)
  expect(address.searchParams.get('post_logout_redirect_uri')).toBe('http://localhost:4000/sign-in')
  expect(address.searchParams.get('id_token_hint')).toMatch(/^ey/)
  const who = { userId: userId ?? '', signInId: signInId ?? '' }
  expect(await principalOfSignIn(forkSystem(world.db.orm), who, world.deps.now())).toBeNull()
})

test('a failing test says why, keeps the connection off, and signs nobody in', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const owner = await world.person('Olga')
  const { organizationId } = owner
  const settings = { organizationId, issuer: provider.issuer, ...oidcClient }
  await configureOidc(await owner.context(), { ...settings, clientSecret: 'wrong' })
  const start = await startTest(await owner.context(), organizationId, '/o/acme/sso')
  const who = { sub: 'x', email: 'x@example.com' }

  const { path, context } = await finish(world, await go(world, provider, start, who, owner))

  expect(path).toBe('/o/acme/sso?problem=SLUICE_SSO_ANSWER_REFUSED')
  expect(context.principal.userId).toBeNull()
  const { lastTest, testedAt } = await forkSystem(world.db.orm).findOneOrFail(SsoConnection, {
    organizationId,
  })
  expect(lastTest?.problem).toContain('invalid_client')
  expect(testedAt).toBeNull()
})

test('only who may set it up does, and the organization of others is missing', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const stranger = await world.person('Sam')
  const { context: viewer } = await enterAs(world, company)
  const { organizationId } = company
  const input = { organizationId, issuer: provider.issuer, ...oidcClient }

  await expect(configureOidc(viewer, input)).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  const missing = { code: 'SLUICE_ORGANIZATION_NOT_FOUND' }
  const context = await stranger.context()
  await expect(configureOidc(context, input)).rejects.toMatchObject(missing)
  await expect(setEnforcement(context, organizationId, 'OFF')).rejects.toMatchObject(missing)
  await expect(startTest(context, organizationId, '/')).rejects.toMatchObject(missing)
  await expect(removeConnection(context, organizationId)).rejects.toMatchObject(missing)
})

test('a provider in our own network is not asked, and a way back leads nowhere else', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const context = await company.owner.context()
  const strict = { ...context, sso: { ...context.sso, guard: { allowPrivate: false } } }
  const input = { organizationId: company.organizationId, ...oidcClient }

  for (const issuer of [
    'https://127.0.0.1',
    'https://[::ffff:10.0.0.1]',
    'https://169.254.169.254',
  ]) {
    await expect(configureOidc(strict, { ...input, issuer })).rejects.toMatchObject({
      code: 'SLUICE_ADDRESS_NOT_PUBLIC',
    })
  }
  await expect(
    configureOidc(strict, { ...input, issuer: 'http://example.com' }),
  ).rejects.toMatchObject({
    code: 'SLUICE_SSO_ISSUER_INVALID',
  })
  const slug = (await findOffer(world.request().context, { email: `x@${company.domain}` }))
    ?.startPath
  const query = new URL(`${slug}&to=//evil.test`, 'http://console.invalid').searchParams
  await expect(leave(world.request().context, query, null)).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
})

test('the client secret is nowhere in the table, and opens for its connection alone', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  await openCompany(sso, provider)

  const rows = await forkSystem(world.db.orm).execute('select * from identity.sso_connection')

  expect(JSON.stringify(rows)).not.toContain(oidcClient.clientSecret)
  await forkSystem(world.db.orm).execute(
    `update identity.sso_connection set sealed_client_secret = (
       select sealed_client_secret from identity.sso_connection where id <> ?) where id = ?`,
    [company.connectionId, company.connectionId],
  )
  const { startPath = '' } =
    (await findOffer(world.request().context, { email: `x@${company.domain}` })) ?? {}
  const query = new URL(startPath, 'http://console.invalid').searchParams
  await expect(leave(world.request().context, query, null)).rejects.toThrow('authenticate')
})

test('client secrets move to a new sealing key, and an old one that is gone is noticed', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const company = await openCompany(sso, provider)
  const [old, next] = [randomBytes(32), randomBytes(32)].map((key, index) => ({
    id: `k${index}`,
    key,
  }))
  if (!old || !next) throw new TypeError('two keys')
  const em = () => forkSystem(world.db.orm)
  const { sealed, sealingKeyId } = new Sealer([old]).seal(
    'moved',
    secretOwnerOf(company.connectionId),
  )
  await em().nativeUpdate(
    SsoConnection,
    { id: company.connectionId },
    { sealedClientSecret: sealed, sealingKeyId },
  )

  expect(await resealClientSecrets(em(), new Sealer([next]))).toBe(1)
  expect(await resealClientSecrets(em(), new Sealer([next, old]))).toBe(0)

  const moved = await em().findOneOrFail(SsoConnection, { id: company.connectionId })
  expect(clientOf(moved, new Sealer([next])).clientSecret).toBe('moved')
})
