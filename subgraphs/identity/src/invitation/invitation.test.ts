import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { membershipOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { Mail } from '../mail/mail.entity.ts'
import { sendDueMails } from '../mail/send-mails.ts'
import { Member } from '../organization/member.entity.ts'
import { changeMemberRole, removeMember } from '../organization/member.ts'
import { createRole, deleteRole, updateRole } from '../role/role.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { signUp } from '../sign-in/sign-up.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { acceptInvitation, findOffer } from './accept-invitation.ts'
import { Invitation } from './invitation.entity.ts'
import {
  invitationPage,
  invitationsMax,
  inviteMember,
  purgeInvitations,
  resendInvitation,
  revokeInvitation,
} from './invitation.ts'

/** The token in the last mail to an address, sent now. */
async function mailedTo(world: World, address: string): Promise<string> {
  const { orm, consoleOrigin, now } = world.deps
  await sendDueMails({ orm, transport: null, consoleOrigin, now, log: silentLog })
  const [mail] = await forkSystem(orm).find(
    Mail,
    { address, kind: 'invitation', outcome: 'kept' },
    { orderBy: { createdAt: 'desc' }, limit: 1 },
  )
  return /\/invitation#([\w-]{43})\n/.exec(mail?.text ?? '')?.[1] ?? ''
}

async function invite(world: World, inviter: Person, email: string, role = 'DEVELOPER' as const) {
  const { organizationId } = inviter
  const invitation = await inviteMember(await inviter.context(), organizationId, email, { role })
  world.pass(1)
  return { invitation, token: await mailedTo(world, email) }
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? 'without a code',
  )

test('whoever opens the link with the account of the address is in, once, and the address is confirmed', async () => {
  await using world = await openWorld()
  const owner = await world.person('Olga')
  const other = await world.person('Otto')
  const { token } = await invite(world, owner, other.email)
  expect(await findOffer(world.request().context, token)).toMatchObject({
    roleName: 'DEVELOPER',
    hasAccount: true,
  })

  const context = await other.context()
  const { id } = await acceptInvitation(context, token)

  expect(id).toBe(owner.organizationId)
  expect(context.principal.memberships).toContainEqual(membershipOf(id, 'DEVELOPER'))
  expect(world.revoked).toContain(`membership:${id}:${other.userId}`)
  const em = forkSystem(world.db.orm)
  expect((await em.findOneOrFail(User, { id: other.userId })).emailVerifiedAt).not.toBeNull()
  const entries = await em.find(AuditEntry, { organizationId: id }, { orderBy: { at: 'asc' } })
  expect(entries.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['invitation.sent', 'invitation.accepted', 'member.added']),
  )
  expect(await codeOf(acceptInvitation(context, token))).toBe('SLUICE_INVITATION_USED')
})

test('nobody has to have an account: signing up through the link joins, and makes no other organization', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const { token } = await invite(world, owner, 'new@example.test')
  const { context } = world.request()

  const { user } = await signUp(context, {
    email: 'new@example.test',
    password: testPassword,
    name: 'New',
    invitation: token,
  })

  expect(context.principal.memberships).toEqual([membershipOf(owner.organizationId, 'DEVELOPER')])
  expect(user.emailVerifiedAt).not.toBeNull()
  const mails = await forkSystem(world.db.orm).find(Mail, { address: 'new@example.test' })
  expect(mails.map(({ kind }) => kind)).toEqual(['invitation'])
})

test('a link is for its address alone: another account, or a sign-up with another address, gets nothing', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const thief = await world.person()
  const { token } = await invite(world, owner, 'wanted@example.test')

  expect(await codeOf(acceptInvitation(await thief.context(), token))).toBe(
    'SLUICE_INVITATION_FOR_ANOTHER',
  )
  const input = {
    email: 'thief@example.test',
    password: testPassword,
    name: 'T',
    invitation: token,
  }
  expect(await codeOf(signUp(world.request().context, input))).toBe('SLUICE_INVITATION_FOR_ANOTHER')
  expect(await codeOf(acceptInvitation(world.request().context, token))).toBe(
    'SLUICE_UNAUTHENTICATED',
  )
  const em = forkSystem(world.db.orm)
  expect(await em.count(User, { email: 'thief@example.test' })).toBe(0)
  expect(await em.count(Member, { organizationId: owner.organizationId })).toBe(1)
})

test('the inviter learns nothing of who has an account, and the database no token', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const stranger = await world.person()
  const known = await invite(world, owner, stranger.email)
  const unknown = await invite(world, owner, 'nobody@example.test')

  const shapeOf = ({ invitation }: typeof known) => Object.keys(invitation).toSorted()
  expect(shapeOf(known)).toEqual(shapeOf(unknown))
  const rows = await forkSystem(world.db.orm).execute<object[]>(
    'select to_jsonb(i)::text as line from identity.invitation i',
  )
  expect(JSON.stringify(rows)).not.toContain(known.token)
})

test('of two who accept one invitation at once, the member is there once', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const other = await world.person()
  const { token } = await invite(world, owner, other.email)
  const contexts = [await other.context(), await other.context()]

  const codes = await Promise.all(
    contexts.map((context) => codeOf(acceptInvitation(context, token))),
  )

  expect(codes.toSorted((a, b) => a.localeCompare(b))).toEqual(['done', 'SLUICE_INVITATION_USED'])
})

test('sending it again makes the link before void, and gives the new one its whole time', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const other = await world.person()
  const { invitation, token } = await invite(world, owner, other.email)
  world.pass(world.deps.invitationLifeMs)
  expect(await codeOf(findOffer(world.request().context, token))).toBe('SLUICE_INVITATION_EXPIRED')

  await resendInvitation(await owner.context(), invitation.id)
  const newer = await mailedTo(world, other.email)

  expect(newer).not.toBe(token)
  expect(await codeOf(acceptInvitation(await other.context(), token))).toBe(
    'SLUICE_INVITATION_NOT_FOUND',
  )
  expect(await codeOf(acceptInvitation(await other.context(), newer))).toBe('done')
})

test('a revoked invitation says so to the holder of its link, and an address can be invited again', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const other = await world.person()
  const { invitation, token } = await invite(world, owner, other.email)
  expect(await codeOf(invite(world, owner, other.email))).toBe('SLUICE_INVITATION_EXISTS')

  await revokeInvitation(await owner.context(), invitation.id)

  expect(await codeOf(acceptInvitation(await other.context(), token))).toBe(
    'SLUICE_INVITATION_REVOKED',
  )
  expect(await codeOf(findOffer(world.request().context, 'x'.repeat(43)))).toBe(
    'SLUICE_INVITATION_NOT_FOUND',
  )
  const again = await invite(world, owner, other.email)
  expect(await codeOf(acceptInvitation(await other.context(), again.token))).toBe('done')
  expect(await codeOf(invite(world, owner, other.email))).toBe('SLUICE_MEMBER_EXISTS')
})

test('nobody invites to more than they may do, also not with a custom role that grew since', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const admin = await world.person()
  const { organizationId } = owner
  await world.join(organizationId, admin, 'ADMIN')
  const input = { name: 'Support', description: '', permissions: ['tunnels.read'] }
  const role = await createRole(await owner.context(), organizationId, input)
  const asAdmin = async (email: string, given: Parameters<typeof inviteMember>[3]) =>
    inviteMember(await admin.context(), organizationId, email, given)

  expect(await codeOf(asAdmin('a@example.test', { role: 'OWNER' }))).toBe('SLUICE_FORBIDDEN')
  const other = await world.person()
  await asAdmin(other.email, { role: 'VIEWER', customRoleId: role.id })
  const token = await mailedTo(world, other.email)
  await updateRole(await owner.context(), role.id, { ...input, permissions: ['billing.manage'] })

  expect(await codeOf(acceptInvitation(await other.context(), token))).toBe(
    'SLUICE_INVITATION_VOID',
  )
})

test.for(['is demoted', 'leaves'])(
  'an invitation is void once its sender %s, and good again when somebody else sends it',
  async (how) => {
    await using world = await openWorld()
    const owner = await world.person()
    const admin = await world.person()
    const other = await world.person()
    const { organizationId } = owner
    const { id } = await world.join(organizationId, admin, 'ADMIN')
    const context = await admin.context()
    const invitation = await inviteMember(context, organizationId, other.email, { role: 'ADMIN' })
    const token = await mailedTo(world, other.email)
    if (how === 'leaves') await removeMember(await admin.context(), id)
    else await changeMemberRole(await owner.context(), id, { role: 'DEVELOPER' })

    expect(await codeOf(acceptInvitation(await other.context(), token))).toBe(
      'SLUICE_INVITATION_VOID',
    )
    world.pass(1)
    await resendInvitation(await owner.context(), invitation.id)
    const newer = await mailedTo(world, other.email)
    expect(await codeOf(acceptInvitation(await other.context(), newer))).toBe('done')
  },
)

test('the plan counts members when an invitation is accepted', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const other = await world.person()
  const { token } = await invite(world, owner, other.email)
  await world.tellEntitlements(owner.organizationId, { maxMembers: 1 })

  expect(await codeOf(acceptInvitation(await other.context(), token))).toBe('SLUICE_MEMBERS_MAX')
  await world.tellEntitlements(owner.organizationId, { maxMembers: 2 })
  expect(await codeOf(acceptInvitation(await other.context(), token))).toBe('done')
})

test('a custom role that is deleted is replaced in invitations, too', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const { organizationId } = owner
  const input = { name: 'Support', description: '', permissions: ['tunnels.read'] }
  const role = await createRole(await owner.context(), organizationId, input)
  const given = { role: 'VIEWER', customRoleId: role.id } as const
  await inviteMember(await owner.context(), organizationId, 'a@example.test', given)

  expect(await codeOf(deleteRole(await owner.context(), role.id, null))).toBe('SLUICE_ROLE_IN_USE')
  await deleteRole(await owner.context(), role.id, { role: 'BILLING' })

  const { nodes } = await invitationPage(await owner.context(), organizationId, {})
  expect(nodes).toMatchObject([{ role: 'BILLING', email: 'a@example.test' }])
})

test('invitations of others are missing, and inviting without end is stopped', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const stranger = await world.person()
  const { invitation } = await invite(world, owner, 'a@example.test')
  for (const id of [invitation.id, crypto.randomUUID(), 'not-an-id']) {
    const missing = 'SLUICE_INVITATION_NOT_FOUND'
    expect(await codeOf(resendInvitation(await stranger.context(), id))).toBe(missing)
    expect(await codeOf(revokeInvitation(await stranger.context(), id))).toBe(missing)
  }
  const asStranger = await stranger.context()
  expect(await codeOf(invitationPage(asStranger, owner.organizationId, {}))).toBe(
    'SLUICE_ORGANIZATION_NOT_FOUND',
  )

  for (let sent = 1; sent < attemptLimits.inviteByEmail.attemptsMax; sent += 1) {
    await world.deps.attempts.count(
      attemptLimits.inviteByEmail,
      `${owner.organizationId} a@example.test`,
    )
  }
  expect(await codeOf(resendInvitation(await owner.context(), invitation.id))).toBe(
    'SLUICE_RATE_LIMITED',
  )
})

test('only so many invitations wait, and those that ended long ago are deleted', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const em = forkSystem(world.db.orm)
  const at = world.deps.now()
  await em.execute(
    `insert into identity.invitation (id, organization_id, email, role, invited_by, created_at, sent_at, expires_at)
     select gen_random_uuid(), ?, n || '@example.test', 'VIEWER', ?, ?, ?, ? from generate_series(1, ?) n`,
    [owner.organizationId, owner.userId, at, at, new Date(at.getTime() + 1_000), invitationsMax],
  )
  expect(await codeOf(invite(world, owner, 'more@example.test'))).toBe('SLUICE_INVITATIONS_MAX')

  await purgeInvitations(em, new Date(at.getTime() + 31 * 86_400_000))
  expect(await em.count(Invitation)).toBe(0)
})
