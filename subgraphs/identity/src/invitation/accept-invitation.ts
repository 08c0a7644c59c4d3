import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'
import { covers, hasPermission } from '@sluice/schema/permissions'

import { recordUserAct } from '../audit/user-act.ts'
import { principalOfSignIn } from '../authenticate/principal-of.ts'
import { becomePrincipal, type Context } from '../context.ts'
import { hashOf } from '../credential/credential.ts'
import { countLinkUse } from '../mail/mail-link.ts'
import { Member } from '../organization/member.entity.ts'
import { admitMember, announceMembership } from '../organization/membership.ts'
import { Organization } from '../organization/organization.entity.ts'
import { lockOrganization, personOf } from '../organization/organization.ts'
import { lookUpRole } from '../role/held-permissions.ts'
import { User } from '../user/user.entity.ts'
import { Invitation } from './invitation.entity.ts'
import { record } from './invitation.ts'
import { tokenForm } from './mail-invitation.ts'

/** What whoever holds the link is offered. */
export interface Offer {
  invitation: Invitation
  organizationName: string
  /** What the role is called. */
  roleName: string
  /** Whoever reads the mail of an address may know that it has an account. */
  hasAccount: boolean
}

/** Looks at the invitation of a link without using it. Says why it is not good to its holder only. */
export async function findOffer(context: Context, token: string): Promise<Offer> {
  await countLinkUse(context)
  const em = forkSystem(context.orm)
  const invitation = await findByToken(em, token)
  await assertGood(em, invitation, context.now())
  const organization = await em.findOneOrFail(Organization, { id: invitation.organizationId })
  const { name } = await lookUpRole(em, invitation.organizationId, invitation)
  const hasAccount = (await em.count(User, { email: invitation.email })) > 0
  return { invitation, organizationName: organization.name, roleName: name, hasAccount }
}

/**
 * Takes whoever asks into the organization. The invitation is for the account of its address alone, which the link
 * confirms: it went nowhere else.
 */
export async function acceptInvitation(context: Context, token: string): Promise<Organization> {
  await countLinkUse(context)
  const { orm, revocations, now } = context
  const userId = personOf(context)
  const member = await forkSystem(orm).transactional(async (em) => {
    const user = await em.findOneOrFail(User, { id: userId })
    return acceptAs(context, em, user, token)
  })
  await announceMembership(revocations, member)
  await rememberMemberships(context)
  return forkSystem(orm).findOneOrFail(Organization, { id: member.organizationId })

  async function rememberMemberships({ principal }: Context): Promise<void> {
    if (principal.signInId === null) return
    const signIn = { userId, signInId: principal.signInId }
    const renewed = await principalOfSignIn(forkSystem(orm), signIn, now())
    if (renewed) becomePrincipal(context, renewed)
  }
}

/** The same as part of the transaction that makes the account. */
export async function acceptAs(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  user: User,
  token: string,
): Promise<Member> {
  const at = now()
  const { id, organizationId } = await findByToken(em, token)
  await lockOrganization(em, organizationId)
  // Of two who accept at once, the second finds it used.
  const invitation = await em.findOneOrFail(Invitation, { id }, { refresh: true })
  await assertGood(em, invitation, at)
  if (user.email !== invitation.email) throw new SluiceError('SLUICE_INVITATION_FOR_ANOTHER')

  if (!user.emailVerifiedAt) {
    user.emailVerifiedAt = at
    await recordUserAct(em, { action: 'user.email-verified', user, details: user.email, ip, at })
  }
  invitation.acceptedAt = at
  record(em, invitation, { action: 'invitation.accepted', actor: user, ip, at })
  const { role, customRoleId } = invitation
  const given = { organizationId, userId: user.id, role, customRoleId }
  const { member } = await admitMember(em, { ...given, how: 'invited', actor: user, ip, at })
  await em.flush()
  return member
}

/** A link sent before the last one belongs to no invitation any more. */
async function findByToken(em: EntityManager, token: string): Promise<Invitation> {
  const found = tokenForm.test(token)
    ? await em.findOne(Invitation, { tokenHash: hashOf(token) })
    : null
  if (!found) throw new SluiceError('SLUICE_INVITATION_NOT_FOUND')
  return found
}

/** Also asks whether who invited may still give what they offered: rights that were lost since give nothing. */
async function assertGood(em: EntityManager, invitation: Invitation, at: Date): Promise<void> {
  const { organizationId, invitedBy, acceptedAt, revokedAt, expiresAt } = invitation
  if (acceptedAt) throw new SluiceError('SLUICE_INVITATION_USED')
  if (revokedAt) throw new SluiceError('SLUICE_INVITATION_REVOKED')
  if (expiresAt <= at) throw new SluiceError('SLUICE_INVITATION_EXPIRED')
  const inviter = await em.findOne(Member, { organizationId, userId: invitedBy })
  if (!inviter) throw new SluiceError('SLUICE_INVITATION_VOID')
  const held = await lookUpRole(em, organizationId, inviter)
  const offered = await lookUpRole(em, organizationId, invitation)
  if (
    !hasPermission(held.permissions, 'members.manage') ||
    !covers(held.permissions, offered.permissions)
  ) {
    throw new SluiceError('SLUICE_INVITATION_VOID')
  }
}
