import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { credentialKinds, type Credential, type Kind } from '../credential/credential-kinds.ts'
import { hashOf, kindOf } from '../credential/credential.ts'
import { revokeCredentials, type Revoked } from '../credential/revoke-credentials.ts'
import type { MailKind } from '../mail/mail.entity.ts'
import { recordMail } from '../mail/mail.ts'
import { Member } from '../organization/member.entity.ts'
import { ScimToken } from '../scim/scim-token.entity.ts'
import { endSignIn } from '../sign-in/end-sign-ins.ts'
import { parseRefreshToken } from '../sign-in/refresh-token.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { User } from '../user/user.entity.ts'

/**
 * Revokes whatever secret is shown, at once everywhere: whoever has it could use it, which is proof enough for ending it. The
 * owner is told by mail. A secret that is not known, or has ended, changes nothing and tells nothing.
 */
export async function revokeSecret(context: Context, secret: string): Promise<void> {
  const revoked = await forkSystem(context.orm).transactional(async (em) => {
    const kind = kindOf(secret)
    if (kind === 'scim-token') return reportScimToken(context, em, secret)
    const credentials = credentialKinds.find(({ name }) => name === kind)
    if (credentials) return reportCredential(context, em, credentials, secret)
    return reportSignIn(context, em, secret)
  })
  context.wakeOutbox()
  context.wakeMail()
  for (const { kind, id } of revoked) await context.revocations.publish(kind, id)
}

async function reportCredential(
  context: Context,
  em: EntityManager,
  kind: Kind<Credential>,
  secret: string,
): Promise<Revoked[]> {
  const found = await em.find(kind.entity, { secretHash: hashOf(secret), revokedAt: null })
  const { visitorIp: ip, now } = context
  const act = { actor: null, ip, at: now(), reason: 'reported' } as const
  const revoked = await revokeCredentials(em, kind, found, act)
  for (const one of found) await tellOwner(context, em, `${kind.name}-reported`, one)
  return revoked
}

/** Nothing keeps an answer about a SCIM token: its row is looked at with each call. */
async function reportScimToken(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  secret: string,
): Promise<Revoked[]> {
  const found = await em.findOne(ScimToken, { secretHash: hashOf(secret), revokedAt: null })
  if (!found) return []
  const { id, name, organizationId } = found
  found.revokedAt = now()
  recordAct(em, {
    action: 'scim-token.revoked',
    actor: null,
    organizationId,
    target: { type: 'scim-token', id },
    details: `${name} (reported)`,
    ip,
    at: now(),
  })
  return []
}

/** A refresh token, whether or not it has been replaced since, or an access token ends its sign-in. */
async function reportSignIn(
  context: Context,
  em: EntityManager,
  secret: string,
): Promise<Revoked[]> {
  const signInId = await signInIdOf(context, em, secret)
  if (signInId === null || !(await endSignIn(context, em, signInId, 'revoked'))) return []
  return [{ kind: 'sign-in', id: signInId }]
}

async function signInIdOf(
  { refreshTokens, accessTokens }: Context,
  em: EntityManager,
  secret: string,
): Promise<string | null> {
  const token = parseRefreshToken(secret)
  if (token) {
    const signIn = await em.findOne(SignIn, { id: token.signInId })
    const own = signIn && refreshTokens.leadsTo(token, signIn.generation, signIn.refreshHash)
    return own ? token.signInId : null
  }
  try {
    return (await accessTokens.verify(secret)).signInId
  } catch (error) {
    if (error instanceof SluiceError) return null
    throw error
  }
}

/** Its maker while they are there, or else the owners of the organization. */
async function tellOwner(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  kind: MailKind,
  { organizationId, createdBy }: Credential,
): Promise<void> {
  const maker = createdBy ? await em.findOne(Member, { organizationId, userId: createdBy }) : null
  const members = maker ? [maker] : await em.find(Member, { organizationId, role: 'OWNER' })
  const users = await em.find(User, { id: { $in: members.map(({ userId }) => userId) } })
  for (const { id: userId, email: address } of users) {
    recordMail(em, { kind, address, userId, ip, at: now() })
  }
}
