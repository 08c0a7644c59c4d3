import { randomBytes } from 'node:crypto'

import { forkSystem } from '@sluice/kit/database'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { createAuthtoken } from '../authtoken/authtoken.ts'
import { Mail } from '../mail/mail.entity.ts'
import { Member } from '../organization/member.entity.ts'
import { admitMember, dismissMember } from '../organization/membership.ts'
import { Organization } from '../organization/organization.entity.ts'
import { createOrganization } from '../organization/organization.ts'
import { refreshSignIn } from '../sign-in/refresh-sign-in.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { suspendOrganization, suspendUser } from '../staff/suspension.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { proofLifeMs } from './assert-proved.ts'
import { deleteAccount } from './delete-account.ts'
import { exportAccount } from './export-account.ts'

const codeOf = (error: { code: string }) => error.code

async function exportedBy(person: Person): Promise<string> {
  const pieces = await Array.fromAsync(await exportAccount(await person.context()))
  return pieces.join('')
}

/** Takes a person into the organization of another. */
async function join(world: World, owner: Person, person: Person, role: 'OWNER' | 'DEVELOPER') {
  await forkSystem(world.db.orm).transactional(async (em) => {
    const actor = await em.findOneOrFail(User, { id: owner.userId })
    const { organizationId } = owner
    const { userId } = person
    await admitMember(em, { organizationId, userId, role, actor, ip: '', at: world.deps.now() })
  })
}

test('an account goes with what it alone had, and leaves what is of others', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  await join(world, bob, ada, 'DEVELOPER')
  const made = await createAuthtoken(await ada.context(), bob.organizationId, 'Laptop')
  const context = await ada.context()

  await deleteAccount(context, ` ${ada.email.toUpperCase()} `)

  const em = forkSystem(world.db.orm)
  expect(await em.count(User, { id: ada.userId })).toBe(0)
  expect(await em.count(SignIn, { userId: ada.userId })).toBe(0)
  expect(await em.count(Organization, { id: ada.organizationId })).toBe(0)
  expect(await em.count(Member, { organizationId: bob.organizationId })).toBe(1)
  expect(context.principal.kind).toBe('anonymous')
  expect(world.revoked).toEqual(
    expect.arrayContaining([
      `user:${ada.userId}`,
      `organization:${ada.organizationId}`,
      `membership:${bob.organizationId}:${ada.userId}`,
      `authtoken:${made.credential.id}`,
    ]),
  )
  const credential = { kind: 'authtoken', token: made.secret } as const
  expect(await authenticate(world.deps, { credential, ip: '' }).catch(codeOf)).toBe(
    'SLUICE_AUTHTOKEN_INVALID',
  )
  const { context: later } = world.request({ refreshToken: ada.refreshToken })
  expect(await refreshSignIn(later).catch(codeOf)).toBe('SLUICE_UNAUTHENTICATED')
  // The other subgraphs hear of it.
  const events = await em.execute<{ payload: unknown }[]>(
    `select payload from identity.outbox_event where name = 'organization.deleted'`,
  )
  expect(events).toEqual([{ payload: { organizationId: ada.organizationId } }])
  expect(await em.find(Mail, { kind: 'account-deleted' })).toMatchObject([{ address: ada.email }])
  // What was done stays told, with the name of that time.
  const told = await em.find(AuditEntry, {
    organizationId: bob.organizationId,
    actorId: ada.userId,
  })
  expect(told.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['user.deleted', 'member.removed', 'authtoken.revoked']),
  )
  expect(new Set(told.map(({ actorName }) => actorName))).toEqual(new Set(['Ada']))
})

test('who is the last owner of others is told of which, and keeps the account', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  await join(world, ada, bob, 'DEVELOPER')
  const second = await createOrganization(await ada.context(), 'Second & Sons')
  await join(world, { ...ada, organizationId: second.id }, bob, 'DEVELOPER')
  await createOrganization(await ada.context(), 'Alone')

  const refused = await deleteAccount(await ada.context(), ada.email).catch(
    (error: Error) => error.message,
  )

  expect(refused).toBe('Others would be left without an owner: Ada’s organization, Second & Sons.')
  expect(await forkSystem(world.db.orm).count(Organization, { name: 'Alone' })).toBe(1)
})

test('of two owners who delete their accounts at once, the second goes with the organization', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  await join(world, ada, bob, 'OWNER')

  const outcomes = await Promise.all([
    deleteAccount(await ada.context(), ada.email).catch(codeOf),
    deleteAccount(await bob.context(), bob.email).catch(codeOf),
  ])

  expect(outcomes).toEqual([true, true])
  expect(await forkSystem(world.db.orm).count(Organization, { id: ada.organizationId })).toBe(0)
})

test('an owner who leaves at the same moment leaves nobody without an owner', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  const carol = await world.person('Carol')
  await world.tellEntitlements(ada.organizationId, { maxMembers: 10 })
  await join(world, ada, bob, 'OWNER')
  await join(world, ada, carol, 'DEVELOPER')
  const leave = forkSystem(world.db.orm).transactional(async (em) => {
    const { organizationId } = ada
    const member = await em.findOneOrFail(Member, { organizationId, userId: bob.userId })
    const actor = await em.findOneOrFail(User, { id: bob.userId })
    return dismissMember(em, member, { actor, ip: '', at: world.deps.now() })
  })

  await Promise.allSettled([leave, deleteAccount(await ada.context(), ada.email)])

  const em = forkSystem(world.db.orm)
  const owners = await em.count(Member, { organizationId: ada.organizationId, role: 'OWNER' })
  expect(owners).toBe(1)
})

test('who is suspended, or owns what is, deletes nothing of it, also in the same moment', async () => {
  await using world = await openWorld()
  const staff = await world.person('Staff')
  const em = () => forkSystem(world.db.orm)
  await em().nativeUpdate(User, { id: staff.userId }, { isAdmin: true })
  const [ada, eve, mallory] = [
    await world.person(),
    await world.person('Eve'),
    await world.person('Mallory'),
  ]
  const reason = 'Phishing.'
  await suspendOrganization(await staff.context(), ada.organizationId, reason)

  const refused = deleteAccount(await ada.context(), ada.email)
  await expect(refused).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_SUSPENDED',
    details: { reason },
  })
  expect(await em().count(Organization, { id: ada.organizationId })).toBe(1)

  // Who was let in before the suspension, with a request that is carried out after it.
  const asked = await eve.context()
  await suspendUser(await staff.context(), eve.userId, reason)
  await expect(deleteAccount(asked, eve.email)).rejects.toMatchObject({
    code: 'SLUICE_USER_SUSPENDED',
  })

  const [deleting, suspending] = [await mallory.context(), await staff.context()]
  const outcomes = await Promise.allSettled([
    deleteAccount(deleting, mallory.email),
    suspendOrganization(suspending, mallory.organizationId, reason),
  ])
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test('deleting takes the own email, a fresh proof, and another member of staff', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  const other = await deleteAccount(await ada.context(), 'bob@example.test').catch(codeOf)
  await forkSystem(world.db.orm).nativeUpdate(User, { id: ada.userId }, { isAdmin: true })
  const staff = await deleteAccount(await ada.context(), ada.email).catch(codeOf)
  world.pass(proofLifeMs + 1)
  const late = [
    await deleteAccount(await ada.context(), ada.email).catch(codeOf),
    await exportAccount(await ada.context()).catch(codeOf),
  ]

  expect([other, staff]).toEqual(['SLUICE_INPUT_INVALID', 'SLUICE_LAST_STAFF'])
  expect(late).toEqual(late.map(() => 'SLUICE_REAUTHENTICATION_NEEDED'))
  expect((await ada.context()).principal.kind).toBe('user')
})

test('an export has everything of its person, nothing of others, and nothing that opens anything', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  await join(world, bob, ada, 'DEVELOPER')
  const made = await createAuthtoken(await ada.context(), bob.organizationId, 'Laptop')
  const canary = randomBytes(16).toString('hex')
  const em = forkSystem(world.db.orm)
  await em.nativeUpdate(User, { id: ada.userId }, { passwordHash: `plain:${canary}` })
  await em.nativeUpdate(SignIn, { userId: ada.userId }, { refreshHash: canary })

  const head = await exportAccount(await ada.context())
  expect(head).toBeDefined()
  expect(await em.count(AuditEntry, { action: 'user.exported' })).toBe(0)
  const text = await exportedBy(ada)

  const exported = JSON.parse(text)
  expect(exported.truncated).toEqual([])
  expect(exported.account).toMatchObject({ id: ada.userId, email: ada.email, hasPassword: true })
  expect(exported.memberships.map(({ role }: { role: string }) => role)).toEqual([
    'OWNER',
    'DEVELOPER',
  ])
  expect(exported.authtokens).toMatchObject([{ name: 'Laptop', revokedAt: null }])
  expect(exported.signIns).toHaveLength(1)
  expect(exported.audit.map(({ action }: { action: string }) => action)).toContain('user.exported')
  for (const secret of [canary, made.secret, testPassword, bob.email, bob.userId]) {
    expect(text).not.toContain(secret)
  }
})

test('an export is counted per person, so that nobody has the server make them without an end', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const bob = await world.person('Bob')
  const asked = await Promise.allSettled(
    Array.from({ length: 21 }, async () => exportAccount(await ada.context())),
  )

  expect(asked.filter(({ status }) => status === 'rejected')).toMatchObject([
    { reason: { code: 'SLUICE_RATE_LIMITED' } },
  ])
  await expect(exportAccount(await bob.context())).resolves.toBeDefined()
})
