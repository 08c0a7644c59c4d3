import { forkSystem } from '@sluice/kit/database'
import { assertMay } from '@sluice/kit/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { changePassword } from '../account/password.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { createAuthtoken } from '../authtoken/authtoken.ts'
import { startSecondFactor } from '../second-factor/second-factor.ts'
import { signOut } from '../sign-in/sign-in.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { endImpersonation, endOverdue, startImpersonation } from './impersonation.ts'

let world: World
let staff: Person
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const reason = 'They cannot see their tunnel.'
const minuteMs = 60_000

async function newStaff(): Promise<Person> {
  staff = await world.person('Sam')
  await forkSystem(world.db.orm).nativeUpdate(User, { id: staff.userId }, { isAdmin: true })
  return staff
}

/** A request with the access token that an impersonation gave. */
async function asCustomer(token: string) {
  const credential = { kind: 'sign-in', token } as const
  const { principal } = await authenticate(world.deps, { credential, ip: '192.0.2.1' })
  return world.request({ principal }).context
}

test('staff looks as a customer does, is named, and the customer finds it in the audit', async () => {
  await newStaff()
  const ada = await world.person()

  const started = await startImpersonation(await staff.context(), {
    userId: ada.userId,
    reason,
    ticket: '#77',
  })

  const context = await asCustomer(started.accessToken)
  const { principal } = context
  expect(principal).toMatchObject({
    userId: ada.userId,
    isAdmin: false,
    impersonatedBy: { userId: staff.userId, name: 'Sam', mayChange: false },
  })
  expect(() => assertMay(principal, ada.organizationId, 'tunnels.read')).not.toThrow()
  for (const permission of ['tunnels.manage', 'bodies.read', 'billing.manage'] as const) {
    expect(() => assertMay(principal, ada.organizationId, permission)).toThrow(
      expect.objectContaining({ code: 'SLUICE_IMPERSONATION_FORBIDDEN' }),
    )
  }
  await endImpersonation(context, started.impersonation.id)
  await expect(asCustomer(started.accessToken)).rejects.toMatchObject({
    code: 'SLUICE_UNAUTHENTICATED',
  })
  expect(world.revoked).toContain(`sign-in:${started.impersonation.id}`)
  const entries = await forkSystem(world.db.orm).find(AuditEntry, {
    organizationId: ada.organizationId,
    action: { $in: ['impersonation.started', 'impersonation.ended'] },
  })
  expect(entries.map(({ action }) => action).toSorted()).toEqual([
    'impersonation.ended',
    'impersonation.started',
  ])
  const begun = entries.find(({ action }) => action === 'impersonation.started')
  expect(begun).toMatchObject({ actorId: staff.userId, targetId: ada.userId })
  expect(begun?.details).toContain(`${reason} (#77)`)
})

test('even with changes allowed nobody touches account, credentials, members or money', async () => {
  await newStaff()
  const ada = await world.person()
  const { accessToken } = await startImpersonation(await staff.context(), {
    userId: ada.userId,
    reason,
    mayChange: true,
  })
  const as = () => asCustomer(accessToken)

  const { principal } = await as()
  expect(() => assertMay(principal, ada.organizationId, 'tunnels.manage')).not.toThrow()
  const never = [
    'members.manage',
    'authtokens.create',
    'api-keys.manage',
    'billing.manage',
    'sso.manage',
    'organization.delete',
  ] as const
  for (const permission of never) {
    expect(() => assertMay(principal, ada.organizationId, permission)).toThrow(
      expect.objectContaining({ code: 'SLUICE_IMPERSONATION_FORBIDDEN' }),
    )
  }
  const forbidden = { code: 'SLUICE_IMPERSONATION_FORBIDDEN' }
  await expect(createAuthtoken(await as(), ada.organizationId, 'x')).rejects.toMatchObject(
    forbidden,
  )
  await expect(startSecondFactor(await as())).rejects.toMatchObject(forbidden)
  await expect(
    changePassword(await as(), testPassword, 'another good password'),
  ).rejects.toMatchObject(forbidden)
  await expect(
    startImpersonation(await as(), { userId: ada.userId, reason }),
  ).rejects.toMatchObject(forbidden)
})

test('it takes staff that has proved lately who it is, a reason, and a customer', async () => {
  await newStaff()
  const ada = await world.person()
  const start = async (input: Partial<Parameters<typeof startImpersonation>[1]>) =>
    startImpersonation(await staff.context(), { userId: ada.userId, reason, ...input })

  await expect(
    startImpersonation(await ada.context(), { userId: staff.userId, reason }),
  ).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  await expect(start({ reason: ' ' })).rejects.toMatchObject({ code: 'SLUICE_INPUT_INVALID' })
  await expect(start({ minutes: 61 })).rejects.toMatchObject({ code: 'SLUICE_INPUT_INVALID' })
  const other = await world.person()
  await forkSystem(world.db.orm).nativeUpdate(User, { id: other.userId }, { isAdmin: true })
  await expect(start({ userId: other.userId })).rejects.toMatchObject({
    code: 'SLUICE_IMPERSONATION_FORBIDDEN',
  })
  world.pass(11 * minuteMs)
  await expect(start({})).rejects.toMatchObject({ code: 'SLUICE_REAUTHENTICATION_NEEDED' })
})

test('it ends with its time, with the sign-in of staff, and with their office', async () => {
  world.pass(60 * minuteMs)
  await endOverdue(world.deps)
  const ada = await world.person()
  const refused = { code: 'SLUICE_UNAUTHENTICATED' }
  const start = async () =>
    startImpersonation(await staff.context(), { userId: ada.userId, reason, minutes: 30 })

  await newStaff()
  const timed = await start()
  world.pass(31 * minuteMs)
  await expect(asCustomer(timed.accessToken)).rejects.toMatchObject(refused)

  await newStaff()
  const orphan = await start()
  await signOut(await staff.context())
  await expect(asCustomer(orphan.accessToken)).rejects.toMatchObject(refused)

  await newStaff()
  const former = await start()
  await forkSystem(world.db.orm).nativeUpdate(User, { id: staff.userId }, { isAdmin: false })
  await expect(asCustomer(former.accessToken)).rejects.toMatchObject(refused)

  expect(await endOverdue(world.deps)).toBe(2)
  expect(await endOverdue(world.deps)).toBe(0)
})
