import { randomBytes } from 'node:crypto'

import type { EntityManager } from '@sluice/kit/database'

import { hashOf } from '../credential/credential.ts'
import type { Inviting } from '../mail/compose-mail.ts'
import { Organization } from '../organization/organization.entity.ts'
import { User } from '../user/user.entity.ts'
import { Invitation } from './invitation.entity.ts'

const tokenBytes = 32
export const tokenForm = /^[\w-]{43}$/

/** What the mail of an invitation says; null when it has ended. The link of an earlier mail is void. */
export async function offerToMail(
  em: EntityManager,
  options: { invitationId: string; consoleOrigin: string; at: Date },
): Promise<{ link: string; inviting: Inviting } | null> {
  const { invitationId, consoleOrigin, at } = options
  const open = { acceptedAt: null, revokedAt: null, expiresAt: { $gt: at } }
  const invitation = await em.findOne(Invitation, { id: invitationId, ...open })
  if (!invitation) return null
  const { slug } = await em.findOneOrFail(Organization, { id: invitation.organizationId })
  const inviter = await em.findOneOrFail(User, { id: invitation.invitedBy })
  const token = randomBytes(tokenBytes).toString('base64url')
  invitation.tokenHash = hashOf(token)
  await em.flush()
  // Behind the #, so that neither a server nor its log ever sees it.
  const link = `${new URL(consoleOrigin).origin}/invitation#${token}`
  return { link, inviting: { slug, inviterEmail: inviter.emailVerifiedAt ? inviter.email : null } }
}
