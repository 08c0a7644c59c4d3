import { forkSystem } from '@sluice/kit/database'
import { OutboxEvent } from '@sluice/kit/outbox'
import { assertMay } from '@sluice/kit/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { createAuthtoken } from '../authtoken/authtoken.ts'
import { Mail } from '../mail/mail.entity.ts'
import { RevokedToken } from '../revocation/revoked-token.entity.ts'
import { refreshSignIn } from '../sign-in/refresh-sign-in.ts'
import { signIn } from '../sign-in/sign-in.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import {
  suspendOrganization,
  suspendUser,
  unsuspendOrganization,
  unsuspendUser,
} from './suspension.ts'

let world: World
let staff: Person
beforeAll(async () => {
  world = await openWorld()
  staff = await world.person('Staff')
  await forkSystem(world.db.orm).nativeUpdate(User, { id: staff.userId }, { isAdmin: true })
})
afterAll(() => world[Symbol.asyncDispose]())

const reason = 'Phishing from a tunnel.'

test('a suspended user is out at once, with all that acts for them, and learns why at the door', async () => {
  const ada = await world.person()
  const made = await createAuthtoken(await ada.context(), ada.organizationId, 'laptop')
  const revokedBefore = world.revoked.length

  await suspendUser(await staff.context(), ada.userId, reason)

  expect((await ada.context()).principal.kind).toBe('anonymous')
  const again = signIn(world.request().context, ada.email, testPassword)
  await expect(again).rejects.toMatchObject({
    code: 'SLUICE_USER_SUSPENDED',
    details: { reason },
  })
  const refresh = refreshSignIn(world.request({ refreshToken: ada.refreshToken }).context)
  await expect(refresh).rejects.toMatchObject({ code: 'SLUICE_USER_SUSPENDED' })
  await expect(
    authenticate(world.deps, {
      credential: { kind: 'authtoken', token: made.secret },
      ip: '192.0.2.1',
    }),
  ).rejects.toMatchObject({ code: 'SLUICE_USER_SUSPENDED', details: { reason } })
  const wrong = signIn(world.request().context, ada.email, 'a wrong password')
  await expect(wrong).rejects.toMatchObject({ code: 'SLUICE_SIGN_IN_FAILED' })
  expect(world.revoked.slice(revokedBefore)).toEqual(
    expect.arrayContaining([`user:${ada.userId}`, `authtoken:${made.credential.id}`]),
  )
  const em = forkSystem(world.db.orm)
  expect(await em.count(RevokedToken, { kind: 'user', id: ada.userId })).toBe(1)
  const entry = await em.findOneOrFail(AuditEntry, { action: 'user.suspended' })
  expect(entry).toMatchObject({ organizationId: ada.organizationId, actorId: staff.userId })
  expect(entry.details).toContain(reason)
  expect(await em.count(Mail, { kind: 'user-suspended', address: ada.email })).toBe(1)

  await unsuspendUser(await staff.context(), ada.userId)
  expect((await ada.context()).principal.userId).toBe(ada.userId)
  await expect(
    refreshSignIn(world.request({ refreshToken: ada.refreshToken }).context),
  ).resolves.toBeDefined()
})

test('members of a suspended organization see why, and can do nothing with it', async () => {
  const ada = await world.person()
  const other = await world.person()
  const { secret: token } = await createAuthtoken(await ada.context(), ada.organizationId, 'ci')

  await suspendOrganization(await staff.context(), ada.organizationId, reason)

  const { principal } = await ada.context()
  expect(() => assertMay(principal, ada.organizationId, 'organization.read')).not.toThrow()
  for (const permission of ['tunnels.manage', 'requests.read', 'authtokens.create'] as const) {
    expect(() => assertMay(principal, ada.organizationId, permission)).toThrow(
      expect.objectContaining({ code: 'SLUICE_ORGANIZATION_SUSPENDED', details: { reason } }),
    )
  }
  await expect(
    createAuthtoken(await ada.context(), ada.organizationId, 'laptop'),
  ).rejects.toMatchObject({ code: 'SLUICE_ORGANIZATION_SUSPENDED' })
  const asAuthtoken = { credential: { kind: 'authtoken', token } as const, ip: '192.0.2.1' }
  await expect(authenticate(world.deps, asAuthtoken)).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_SUSPENDED',
    details: { reason },
  })
  expect(world.revoked).toContain(`organization:${ada.organizationId}`)
  await expect(
    createAuthtoken(await other.context(), other.organizationId, 'laptop'),
  ).resolves.toBeDefined()

  await unsuspendOrganization(await staff.context(), ada.organizationId)
  await expect(
    createAuthtoken(await ada.context(), ada.organizationId, 'laptop'),
  ).resolves.toBeDefined()
  await expect(authenticate(world.deps, asAuthtoken)).resolves.toBeDefined()
})

test('the other subgraphs are told of a suspension, and of its end, with the change itself', async () => {
  const ada = await world.person()
  const { userId, organizationId } = ada
  const told = async (entity: string) => {
    const events = await forkSystem(world.db.orm).find(
      OutboxEvent,
      { entity, name: { $like: '%.suspension-changed' } },
      { orderBy: { sequence: 'asc' } },
    )
    return events.map(({ payload }) => payload)
  }

  await suspendUser(await staff.context(), userId, reason)
  const twice = suspendUser(await staff.context(), userId, reason)
  await expect(twice).rejects.toMatchObject({ code: 'SLUICE_SUSPENSION_UNCHANGED' })
  await unsuspendUser(await staff.context(), userId)
  await suspendOrganization(await staff.context(), organizationId, reason)
  await unsuspendOrganization(await staff.context(), organizationId)

  expect(await told(`user:${userId}`)).toEqual([
    { userId, suspendedAt: expect.any(String) },
    { userId, suspendedAt: null },
  ])
  expect(await told(`organization:${organizationId}`)).toEqual([
    { organizationId, suspendedAt: expect.any(String) },
    { organizationId, suspendedAt: null },
  ])
})

test('only staff suspends, for a reason, once, and never itself', async () => {
  const ada = await world.person()
  const asAda = await ada.context()
  await expect(suspendUser(asAda, staff.userId, reason)).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  await expect(suspendOrganization(asAda, ada.organizationId, reason)).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  const asStaff = await staff.context()
  await expect(suspendUser(asStaff, ada.userId, '  ')).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
  await expect(suspendUser(asStaff, staff.userId, reason)).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  const [one, two] = [await staff.context(), await staff.context()]
  const twice = await Promise.allSettled([
    suspendUser(one, ada.userId, reason),
    suspendUser(two, ada.userId, reason),
  ])
  expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  const unknown = unsuspendUser(asStaff, crypto.randomUUID())
  await expect(unknown).rejects.toMatchObject({ code: 'SLUICE_USER_NOT_FOUND' })
})
