import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { covers } from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { recordMail } from '../mail/mail.ts'
import { Member } from '../organization/member.entity.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { lookUpRole, type RoleGiven } from '../role/held-permissions.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { User } from '../user/user.entity.ts'
import { emailOf } from '../user/user.ts'
import { Invitation } from './invitation.entity.ts'

/** So many may wait for an answer in one organization. */
export const invitationsMax = 100

const open = { acceptedAt: null, revokedAt: null } as const

/** The invitations of an organization that nobody has answered, expired ones too, newest first. For who may invite. */
export async function invitationPage(
  { em, principal }: Context,
  organizationId: string,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<Invitation>> {
  assertMay(principal, organizationId, 'members.manage')
  return pageOf(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    (rows, after) =>
      em.find(
        Invitation,
        { organizationId, ...open, ...afterKeyset('createdAt', after) },
        { orderBy: { createdAt: 'desc', id: 'desc' }, limit: rows },
      ),
  )
}

/**
 * Mails an offer to join, with at most what whoever asks may do. The answer is the same whether the address has an
 * account or not.
 */
export async function inviteMember(
  context: Context,
  organizationId: string,
  emailText: string,
  given: RoleGiven,
): Promise<Invitation> {
  const { principal, attempts, visitorIp: ip, now } = context
  const actorId = personOf(context)
  assertMay(principal, organizationId, 'members.manage')
  const email = emailOf(emailText)
  await attempts.count(attemptLimits.inviteByUser, actorId)
  await attempts.count(attemptLimits.inviteByEmail, `${organizationId} ${email}`)

  const invitation = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'members.manage')
    const { permissions, label } = await lookUpRole(em, organizationId, given)
    if (!covers(actor.permissions, permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
    await assertNoMember(em, organizationId, email)
    const at = now()
    // One that has run out makes room for another.
    await em.nativeUpdate(
      Invitation,
      { organizationId, email, ...open, expiresAt: { $lte: at } },
      { revokedAt: at },
    )
    if ((await em.count(Invitation, { organizationId, ...open })) >= invitationsMax) {
      throw new SluiceError('SLUICE_INVITATIONS_MAX', { max: invitationsMax })
    }
    const id = crypto.randomUUID()
    const created = em.create(Invitation, {
      id,
      organizationId,
      email,
      role: given.customRoleId ? 'VIEWER' : given.role,
      customRoleId: given.customRoleId ?? null,
      invitedBy: actorId,
      createdAt: at,
      sentAt: at,
      expiresAt: new Date(at.getTime() + context.invitationLifeMs),
      tokenHash: null,
      acceptedAt: null,
      revokedAt: null,
    })
    em.persist(created)
    await em.flush().catch((error: unknown) => {
      if (error instanceof UniqueConstraintViolationException) {
        throw new SluiceError('SLUICE_INVITATION_EXISTS', {}, { cause: error })
      }
      throw error
    })
    mailInvitation(em, created, ip, at)
    record(em, created, { action: 'invitation.sent', actor: actor.user, ip, at }, ` as ${label}`)
    await em.flush()
    return created
  })
  context.wakeMail()
  return invitation
}

/** Mails it once more, for as long as a new one: the link sent before is void. It stands on the rights of who asks now. */
export async function resendInvitation(context: Context, id: string): Promise<Invitation> {
  const { attempts, visitorIp: ip, now } = context
  const actorId = personOf(context)
  const { organizationId, email } = await findInvitation(context, id)
  await attempts.count(attemptLimits.inviteByUser, actorId)
  await attempts.count(attemptLimits.inviteByEmail, `${organizationId} ${email}`)

  const invitation = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'members.manage')
    const found = await freshInvitation(em, id)
    const { permissions } = await lookUpRole(em, organizationId, found)
    if (!covers(actor.permissions, permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
    await assertNoMember(em, organizationId, email)
    const at = now()
    found.invitedBy = actorId
    found.sentAt = at
    found.expiresAt = new Date(at.getTime() + context.invitationLifeMs)
    found.tokenHash = null
    mailInvitation(em, found, ip, at)
    record(em, found, { action: 'invitation.resent', actor: actor.user, ip, at })
    await em.flush()
    return found
  })
  context.wakeMail()
  return invitation
}

/** Takes an invitation back. Its link says so to whoever opens it. */
export async function revokeInvitation(context: Context, id: string): Promise<string> {
  const { visitorIp: ip, now } = context
  const actorId = personOf(context)
  const { organizationId } = await findInvitation(context, id)
  await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'members.manage')
    const found = await freshInvitation(em, id)
    found.revokedAt = now()
    record(em, found, { action: 'invitation.revoked', actor: actor.user, ip, at: now() })
    await em.flush()
  })
  return id
}

const keptDays = 30

/** Deletes invitations that were answered or ran out long ago. */
export async function purgeInvitations(em: EntityManager, now: Date): Promise<void> {
  const before = new Date(now.getTime() - keptDays * 24 * 60 * 60_000)
  await em.nativeDelete(Invitation, {
    $or: [
      { expiresAt: { $lt: before } },
      { acceptedAt: { $lt: before } },
      { revokedAt: { $lt: before } },
    ],
  })
}

/** Finds an open invitation of the principal's organizations. Another's, or one that has ended, counts as missing. */
async function findInvitation({ em }: Context, id: string): Promise<Invitation> {
  const found = isUuid(id) ? await em.findOne(Invitation, { id, ...open }) : null
  if (!found) throw new SluiceError('SLUICE_INVITATION_NOT_FOUND')
  return found
}

async function freshInvitation(em: EntityManager, id: string): Promise<Invitation> {
  const found = await em.findOne(Invitation, { id, ...open }, { refresh: true })
  if (!found) throw new SluiceError('SLUICE_INVITATION_NOT_FOUND')
  return found
}

/** Who may invite sees the members and their addresses anyway. */
async function assertNoMember(
  em: EntityManager,
  organizationId: string,
  email: string,
): Promise<void> {
  const user = await em.findOne(User, { email })
  if (user && (await em.count(Member, { organizationId, userId: user.id })) > 0) {
    throw new SluiceError('SLUICE_MEMBER_EXISTS')
  }
}

function mailInvitation(em: EntityManager, { id, email }: Invitation, ip: string, at: Date): void {
  const mail = { kind: 'invitation', address: email, userId: null, invitationId: id } as const
  recordMail(em, { ...mail, ip, at })
}

export function record(
  em: EntityManager,
  { id, organizationId, email }: Invitation,
  act: Pick<Parameters<typeof recordAct>[1], 'action' | 'actor' | 'ip' | 'at'>,
  details = '',
): void {
  const target = { type: 'invitation', id } as const
  recordAct(em, { ...act, organizationId, target, details: `${email}${details}` })
}
