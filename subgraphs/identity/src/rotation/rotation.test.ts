import { forkSystem } from '@sluice/kit/database'
import { internalKeyOverlapMs } from '@sluice/kit/internal-token'
import { expect, test } from 'vitest'

import { apiKeyRules, createApiKey } from '../api-key/api-key.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { authtokenRules, createAuthtoken } from '../authtoken/authtoken.ts'
import { rotateCredential } from '../credential/credentials.ts'
import { openWorld, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { internalKeysAskedAt, noteInternalKey, rotateInternalKeys } from './internal-keys.ts'
import { finishRotations, rotationPage } from './rotation.ts'
import { SecretRotation } from './secret-rotation.entity.ts'

const hourMs = 3_600_000

const ask = (world: World, token: string) =>
  authenticate(world.deps, { credential: { kind: 'authtoken', token }, ip: '192.0.2.1' })

test('during the overlap both authtokens are good, then the new one alone, and the ledger says so', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { organizationId } = ada
  const old = await createAuthtoken(await ada.context(), organizationId, 'laptop', undefined, {
    allowedIps: ['192.0.2.0/24'],
  })

  const made = await rotateCredential(await ada.context(), authtokenRules, old.credential.id, 3_600)
  const both = await Promise.all([ask(world, old.secret), ask(world, made.secret)])
  world.pass(hourMs)

  const endsAt = new Date(world.deps.now()).toISOString()
  expect(both.map(({ expiresAt }) => expiresAt)).toEqual([endsAt, null])
  expect(both[0].principal.expiresAt).toBe(endsAt)
  expect(made.credential).toMatchObject({ name: 'laptop', allowedIps: ['192.0.2.0/24'] })
  await expect(ask(world, old.secret)).rejects.toMatchObject({ code: 'SLUICE_AUTHTOKEN_EXPIRED' })
  await ask(world, made.secret)
  const em = forkSystem(world.db.orm)
  await finishRotations(em, world.deps.now())
  const { nodes } = await rotationPage(await ada.context(), organizationId, {})
  expect(nodes).toMatchObject([
    {
      kind: 'authtoken',
      secretId: old.credential.id,
      successorId: made.credential.id,
      by: ada.userId,
      verifiedAt: expect.any(Date),
      finishedAt: new Date(endsAt),
    },
  ])
  expect(await em.count(AuditEntry, { action: 'authtoken.rotated' })).toBe(1)
})

test('without an overlap the old one is revoked at once; a successor lives as long as was meant', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const expiresAt = new Date(world.deps.now().getTime() + 10 * hourMs)
  const context = await ada.context()
  const old = await createAuthtoken(context, ada.organizationId, 'ci', undefined, { expiresAt })
  world.pass(4 * hourMs)

  const made = await rotateCredential(await ada.context(), authtokenRules, old.credential.id, 0)

  expect(world.revoked).toEqual([`authtoken:${old.credential.id}`])
  await expect(ask(world, old.secret)).rejects.toMatchObject({ code: 'SLUICE_AUTHTOKEN_INVALID' })
  expect(made.credential.expiresAt).toEqual(new Date(expiresAt.getTime() + 4 * hourMs))
})

test('of two who rotate one authtoken at once one gets a successor, and it is rotated once', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const old = await createAuthtoken(await ada.context(), ada.organizationId, 'laptop')
  const contexts = [await ada.context(), await ada.context()]

  const outcomes = await Promise.allSettled(
    contexts.map((context) => rotateCredential(context, authtokenRules, old.credential.id, 3_600)),
  )

  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  await expect(
    rotateCredential(await ada.context(), authtokenRules, old.credential.id, 3_600),
  ).rejects.toMatchObject({ code: 'SLUICE_CREDENTIAL_ENDED' })
})

test('an admin rotates what a developer made, and it still acts for the developer; others do not', async () => {
  await using world = await openWorld()
  const [owner, developer, stranger] = [
    await world.person(),
    await world.person(),
    await world.person(),
  ]
  const { organizationId } = owner
  await world.join(organizationId, developer, 'DEVELOPER')
  const old = await createAuthtoken(await developer.context(), organizationId, 'laptop')
  const owners = await createAuthtoken(await owner.context(), organizationId, 'owner’s')

  const made = await rotateCredential(await owner.context(), authtokenRules, old.credential.id, 120)

  expect((await ask(world, made.secret)).principal.userId).toBe(developer.userId)
  await expect(
    rotateCredential(await developer.context(), authtokenRules, owners.credential.id, 120),
  ).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  await expect(
    rotateCredential(await stranger.context(), authtokenRules, owners.credential.id, 120),
  ).rejects.toMatchObject({ code: 'SLUICE_AUTHTOKEN_NOT_FOUND' })
})

test('a rotation names an overlap that streams can follow, and never gives more than one holds', async () => {
  await using world = await openWorld()
  const [owner, admin] = [await world.person(), await world.person()]
  const { organizationId } = owner
  await world.join(organizationId, admin, 'ADMIN')
  const input = { organizationId, name: 'books', permissions: ['billing.manage'] }
  const { credential: apiKey } = await createApiKey(await owner.context(), input)

  await expect(
    rotateCredential(await owner.context(), apiKeyRules, apiKey.id, 60),
  ).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
  await expect(
    rotateCredential(await admin.context(), apiKeyRules, apiKey.id, 120),
  ).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
})

test('a gateway that has another key is in the ledger once, however many hear of it', async () => {
  await using world = await openWorld()
  const endsAt = new Date(world.deps.now().getTime() + 86_400_000)
  const key = { kid: 'second', replaces: 'first', endsAt, askedAt: null }
  const note = (one: Parameters<typeof noteInternalKey>[1]) =>
    noteInternalKey(world.deps.orm, one, world.deps.now())

  await note({ kid: 'first', replaces: null, endsAt, askedAt: null })
  await Promise.all([note(key), note(key), note(key)])

  const rows = await forkSystem(world.deps.orm).find(SecretRotation, { kind: 'internal-key' })
  expect(rows).toMatchObject([
    { secretId: 'first', successorId: 'second', verifiedAt: world.deps.now(), by: null },
  ])
})

test('staff asks for other keys of gateways: the ledger says who, and when the first of them worked', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const rotate = async () => rotateInternalKeys(await ada.context())
  await expect(rotate()).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  await forkSystem(world.db.orm).nativeUpdate(User, { id: ada.userId }, { isAdmin: true })
  expect(await internalKeysAskedAt(world.db.orm)).toBeNull()

  const asked = await rotate()
  const askedAt = await internalKeysAskedAt(world.db.orm)
  const endsAt = new Date(world.deps.now().getTime() + 48 * hourMs)
  const key = { kid: 'second', replaces: 'first', endsAt, askedAt }
  await noteInternalKey(world.deps.orm, key, world.deps.now())
  world.pass(internalKeyOverlapMs)
  const em = forkSystem(world.db.orm)
  await finishRotations(em, world.deps.now())

  expect(askedAt).toEqual(asked.at)
  const rows = await em.find(SecretRotation, { kind: 'internal-key' }, { orderBy: { by: 'asc' } })
  const finished = { verifiedAt: asked.at, finishedAt: asked.oldEndsAt }
  expect(rows).toMatchObject([
    { id: asked.id, by: ada.userId, ...finished },
    { secretId: 'first', successorId: 'second', by: null, ...finished },
  ])
  const entries = await em.find(AuditEntry, { action: 'internal-key.rotated', actorKind: 'user' })
  expect(entries).toMatchObject([{ actorId: ada.userId }])
})
