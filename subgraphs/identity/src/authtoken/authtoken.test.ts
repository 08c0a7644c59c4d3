import { forkSystem } from '@sluice/kit/database'
import { anonymous } from '@sluice/kit/principal'
import { covers, namesOf, permissionsOfScopes, rolePermissions } from '@sluice/schema/permissions'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { newCredential } from '../credential/credential.ts'
import { credentialPage, revokeCredential } from '../credential/credentials.ts'
import { Mail } from '../mail/mail.entity.ts'
import { changeMemberRole } from '../organization/member.ts'
import { openWorld, type World } from '../testing.ts'
import { Authtoken } from './authtoken.entity.ts'
import { authtokenRules, createAuthtoken, listRevokedAuthtokens } from './authtoken.ts'
import { tellExpiry } from './tell-expiry.ts'

const ask = (world: World, token: string, ip = '192.0.2.1') =>
  authenticate(world.deps, { credential: { kind: 'authtoken', token }, ip })

test('an authtoken speaks for its maker in one organization, with its scopes and their role', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { credential: authtoken, secret } = await createAuthtoken(
    await ada.context(),
    ada.organizationId,
    ' laptop ',
    ['TUNNELS_READ', 'TUNNELS_READ'],
  )

  const { principal, expiresAt } = await ask(world, secret)

  expect(authtoken).toMatchObject({ name: 'laptop', prefix: secret.slice(0, 10) })
  expect(expiresAt).toBeNull()
  expect(principal).toEqual({
    kind: 'authtoken',
    id: authtoken.id,
    userId: ada.userId,
    signInId: null,
    isAdmin: false,
    memberships: [
      {
        organizationId: ada.organizationId,
        role: 'OWNER',
        permissions: permissionsOfScopes(['TUNNELS_READ']),
      },
    ],
    scopes: ['TUNNELS_READ'],
  })
})

test('no secret is stored or audited', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  const { secret } = await createAuthtoken(await ada.context(), ada.organizationId, 'laptop')

  const em = forkSystem(world.db.orm)
  for (const table of ['authtoken', 'audit_entry', 'outbox_event', 'sign_in']) {
    const rows = JSON.stringify(await em.execute(`select * from identity.${table}`))
    expect(rows).not.toContain(secret.slice(10))
    expect(rows).not.toContain(ada.refreshToken.split('.')[2])
  }
})

test('a mistyped or unknown authtoken is nobody’s, the mistyped without a look into the database', async () => {
  await using world = await openWorld()
  world.db.takeStatements()

  await expect(ask(world, 'slt_mistyped')).rejects.toMatchObject({
    code: 'SLUICE_AUTHTOKEN_INVALID',
  })
  expect(world.db.takeStatements()).toEqual([])
  await expect(ask(world, newCredential('authtoken'))).rejects.toMatchObject({
    code: 'SLUICE_AUTHTOKEN_INVALID',
  })
})

test('use is noted at most once a minute', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { credential: authtoken, secret } = await createAuthtoken(
    await ada.context(),
    ada.organizationId,
    'laptop',
  )
  const noted = async () =>
    (await forkSystem(world.db.orm).findOneOrFail(Authtoken, { id: authtoken.id })).lastUsedIp

  const ips = []
  for (const [ip, ms] of [
    ['192.0.2.1', 0],
    ['192.0.2.2', 59_000],
    ['192.0.2.3', 1_000],
  ] as const) {
    world.pass(ms)
    await ask(world, secret, ip)
    ips.push(await noted())
  }

  expect(ips).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.3'])
})

test('revoking ends an authtoken, once, and tells relays, gateways and the other subgraphs', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { credential: authtoken, secret } = await createAuthtoken(
    await ada.context(),
    ada.organizationId,
    'laptop',
  )
  const contexts = [await ada.context(), await ada.context()]

  const revoked = await Promise.all(
    contexts.map((context) => revokeCredential(context, authtokenRules, authtoken.id)),
  )

  expect(revoked.map(({ revokedAt }) => revokedAt)).not.toContain(null)
  await expect(ask(world, secret)).rejects.toMatchObject({ code: 'SLUICE_AUTHTOKEN_INVALID' })
  expect(world.revoked).toEqual([`authtoken:${authtoken.id}`])
  const em = forkSystem(world.db.orm)
  expect(await em.count(AuditEntry, { action: 'authtoken.revoked' })).toBe(1)
  expect(
    await em.execute(`select payload from identity.outbox_event where name = 'authtoken.revoked'`),
  ).toEqual([{ payload: { organizationId: ada.organizationId, authtokenId: authtoken.id } }])
})

test('relays alone read which authtokens were revoked, since when they ask', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const context = await ada.context()
  const { credential: authtoken } = await createAuthtoken(context, ada.organizationId, 'laptop')
  await createAuthtoken(context, ada.organizationId, 'kept')
  const { revokedAt } = await revokeCredential(context, authtokenRules, authtoken.id)
  const relay = { ...context, principal: { ...anonymous, kind: 'relay' as const } }
  const list = (ms: number) => listRevokedAuthtokens(relay, new Date(Date.now() - ms))

  expect(await list(60_000)).toEqual([{ id: authtoken.id, at: revokedAt }])
  expect(await list(-60_000)).toEqual([])
  await expect(listRevokedAuthtokens(context, new Date(0))).rejects.toMatchObject({
    code: 'SLUICE_RELAY_KEY_INVALID',
  })
})

test('developers revoke their own authtokens, admins any, and nobody another organization’s', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const developer = await world.person()
  const stranger = await world.person()
  const { organizationId } = owner
  await world.join(organizationId, developer)
  const own = await createAuthtoken(await developer.context(), organizationId, 'own')
  const owners = await createAuthtoken(await owner.context(), organizationId, 'owner’s')
  const third = await createAuthtoken(await developer.context(), organizationId, 'third')

  await expect(
    revokeCredential(await developer.context(), authtokenRules, owners.credential.id),
  ).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  for (const id of [own.credential.id, crypto.randomUUID(), 'not-an-id']) {
    await expect(
      revokeCredential(await stranger.context(), authtokenRules, id),
    ).rejects.toMatchObject({
      code: 'SLUICE_AUTHTOKEN_NOT_FOUND',
    })
  }
  await revokeCredential(await developer.context(), authtokenRules, own.credential.id)
  await revokeCredential(await owner.context(), authtokenRules, third.credential.id)
  const page = await credentialPage(await owner.context(), authtokenRules, organizationId, {})
  expect(page.nodes.filter(({ revokedAt }) => !revokedAt).map(({ name }) => name)).toEqual([
    'owner’s',
  ])
})

test('a viewer makes no authtoken, and nobody makes one without scope or name', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const viewer = await world.person()
  await world.join(owner.organizationId, viewer, 'VIEWER')

  await expect(
    createAuthtoken(await viewer.context(), owner.organizationId, 'x'),
  ).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  for (const [name, scopes] of [
    ['x', []],
    [' ', undefined],
  ] as const) {
    await expect(
      createAuthtoken(await owner.context(), owner.organizationId, name, scopes),
    ).rejects.toMatchObject({ code: 'SLUICE_INPUT_INVALID' })
  }
})

test('an authtoken can do no more than its maker can now', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const other = await world.person()
  const { organizationId } = owner
  const { id } = await world.join(organizationId, other)
  const { secret } = await createAuthtoken(await other.context(), organizationId, 'laptop')

  await changeMemberRole(await owner.context(), id, { role: 'VIEWER' })

  const { principal } = await ask(world, secret)
  const [membership] = principal.memberships
  expect(membership).toMatchObject({ organizationId, role: 'VIEWER' })
  expect(namesOf(membership?.permissions ?? 0)).toEqual(
    expect.arrayContaining(['tunnels.read', 'requests.read']),
  )
  expect(covers(rolePermissions.VIEWER, membership?.permissions ?? -1)).toBe(true)
})

test('a maker is told once of authtokens that end within a week, unless they were made for less', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { organizationId } = ada
  const dayMs = 86_400_000
  for (const days of [3, 30, 60]) {
    const expiresAt = new Date(world.deps.now().getTime() + days * dayMs)
    await createAuthtoken(await ada.context(), organizationId, `${days}`, undefined, { expiresAt })
  }
  const tell = () =>
    forkSystem(world.db.orm).transactional((em) => tellExpiry(em, world.deps.now()))

  const early = await tell()
  world.pass(24 * dayMs)
  const told = [await tell(), await tell()]

  expect([early, ...told]).toEqual([0, 1, 0])
  const mails = await forkSystem(world.db.orm).find(Mail, { kind: 'authtoken-expires' })
  expect(mails.map(({ address }) => address)).toEqual([ada.email])
})
