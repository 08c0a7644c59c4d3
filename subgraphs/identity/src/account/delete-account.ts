import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { recordUserAct } from '../audit/user-act.ts'
import { becomePrincipal, type Context } from '../context.ts'
import { recordMail } from '../mail/mail.ts'
import { dissolveOrganization } from '../organization/change-organization.ts'
import { Member } from '../organization/member.entity.ts'
import { announceMembership, dismissMember, type Act } from '../organization/membership.ts'
import { Organization } from '../organization/organization.entity.ts'
import { lockOrganization, personOf } from '../organization/organization.ts'
import { assertNotSuspended } from '../staff/suspension.ts'
import { inputInvalid } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { foldEmail, lockUser } from '../user/user.ts'
import { assertProved } from './assert-proved.ts'

interface Left {
  readonly member: Member
  readonly authtokenIds: readonly string[]
}

/**
 * Deletes the account of whoever asks, types its email and has proved that it is them: at once and for good. Organizations
 * that they alone are in go with it; those of others they leave. What they did stays in the audit, with their name.
 */
export async function deleteAccount(context: Context, emailText: string): Promise<boolean> {
  const { orm, revocations, visitorIp: ip, now } = context
  await assertProved(context)
  const userId = personOf(context)

  const { dissolved, left } = await forkSystem(orm).transactional(async (em) => {
    const { user, own, shared } = await lockAll(em, userId)
    if (foldEmail(emailText) !== user.email) {
      throw inputInvalid('this is not the email of your account')
    }
    // Decided when the request came, and perhaps another since.
    assertNotSuspended(user)
    await assertStaffRemains(em, user)
    await assertOwnersRemain(em, userId, shared)
    const act: Act = { actor: user, ip, at: now() }
    await recordUserAct(em, { action: 'user.deleted', user, ip, at: act.at })
    for (const organization of own) await dissolveOrganization(em, organization, act)
    const leaving: Left[] = []
    for (const { id: organizationId } of shared) {
      const member = await em.findOneOrFail(Member, { organizationId, userId })
      leaving.push({ member, authtokenIds: await dismissMember(em, member, act) })
    }
    recordMail(em, { kind: 'account-deleted', address: user.email, userId: null, ip, at: act.at })
    await em.flush()
    // Takes sign-ins, second factor, passkeys and links with it.
    await em.nativeDelete(User, { id: userId })
    return { dissolved: own, left: leaving }
  })

  context.wakeOutbox()
  context.wakeMail()
  context.setRefreshToken(null)
  becomePrincipal(context)
  await revocations.publish('user', userId)
  for (const { id } of dissolved) await revocations.publish('organization', id)
  for (const { member, authtokenIds } of left) {
    await announceMembership(revocations, member, authtokenIds)
  }
  return true
}

/**
 * Organizations before the user, as everything does that changes a membership; the user's lock then keeps them from joining
 * another.
 */
async function lockAll(em: EntityManager, userId: string) {
  const seen = await em.find(Member, { userId }, { orderBy: { organizationId: 'asc' } })
  for (const { organizationId } of seen) await lockOrganization(em, organizationId)
  const user = await lockUser(em, userId)
  const members = await em.find(Member, { userId }, { refresh: true })
  const ids = members.map(({ organizationId }) => organizationId)
  const organizations = await em.find(Organization, { id: { $in: ids } })
  const own: Organization[] = []
  const shared: Organization[] = []
  for (const organization of organizations) {
    const others = await em.count(Member, {
      organizationId: organization.id,
      userId: { $ne: userId },
    })
    const list = others === 0 ? own : shared
    list.push(organization)
  }
  return { user, own, shared }
}

async function assertOwnersRemain(
  em: EntityManager,
  userId: string,
  shared: readonly Organization[],
): Promise<void> {
  const orphaned: string[] = []
  for (const { id: organizationId, name } of shared) {
    const owner = { organizationId, role: 'OWNER' } as const
    const owners = await em.count(Member, { ...owner, userId: { $ne: userId } })
    if (owners === 0) orphaned.push(name)
  }
  if (orphaned.length > 0) {
    throw new SluiceError('SLUICE_ACCOUNT_OWNS', { organizations: orphaned.toSorted().join(', ') })
  }
}

async function assertStaffRemains(em: EntityManager, { id, isAdmin }: User): Promise<void> {
  if (!isAdmin) return
  // Of two that leave at once, the second sees that the first has gone.
  await em.execute(`select 1 from "identity"."user" where is_admin order by id for update`)
  if ((await em.count(User, { isAdmin: true, id: { $ne: id } })) === 0) {
    throw new SluiceError('SLUICE_LAST_STAFF')
  }
}
