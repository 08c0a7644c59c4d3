import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { Member } from '../organization/member.entity.ts'
import { admitMember, announceMembership, assignRole } from '../organization/membership.ts'
import { lockOrganization } from '../organization/organization.ts'
import { isLeftToScim } from '../scim/departure.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { addUser } from '../sign-in/sign-up.ts'
import { completeSignIn, startSignIn } from '../sign-in/start-sign-in.ts'
import { nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { emailOf } from '../user/user.ts'
import { organizationOfEmail } from './email-domain.ts'
import { roleOf } from './role-rules.ts'
import type { SsoConnection } from './sso-connection.entity.ts'
import { SsoLink } from './sso-link.entity.ts'
import type { SsoPerson } from './sso-person.ts'
import { SsoProof } from './sso-proof.entity.ts'

/** For so long an organization is open to whoever has passed its single sign-on: who left the company is out within a day. */
export const ssoProofLifeMs = 24 * 60 * 60_000

/**
 * Signs in whom the identity provider named, for its organization alone. Somebody new becomes a member, if the organization
 * takes new members this way; nobody is taken for a user that its organization has no right to speak for.
 */
export async function enter(
  context: Context,
  connection: SsoConnection,
  person: SsoPerson,
): Promise<void> {
  const { orm, revocations } = context
  const { organizationId } = connection
  const { user, started, isNews } = await forkSystem(orm).transactional(async (em) => {
    // Two who come for the first time at once come one after the other.
    await lockOrganization(em, organizationId)
    const found = await userOf(context, em, connection, person)
    const { member, isChanged } = await memberOf(context, em, connection, person, found)
    if (member.role === 'OWNER' && !member.customRoleId) throw new SluiceError('SLUICE_SSO_OWNER')
    const begun = await startSignIn(context, em, found, undefined, organizationId)
    await prove(context, em, connection, person, begun.signIn.id)
    return { user: found, started: begun, isNews: isChanged }
  })
  if (isNews) await announceMembership(revocations, { organizationId, userId: user.id })
  await completeSignIn(context, user, started)
}

/** Lets a sign-in that goes on enter the organization, too. Who they are at the provider is remembered as theirs. */
export async function join(
  context: Context,
  connection: SsoConnection,
  { userId, signInId }: { userId: string | null; signInId: string | null },
  person: SsoPerson,
): Promise<void> {
  const { orm, revocations, visitorIp: ip, now } = context
  const { organizationId } = connection
  await forkSystem(orm).transactional(async (em) => {
    await lockOrganization(em, organizationId)
    const going = { id: signInId ?? '', endedAt: null, expiresAt: { $gt: now() }, ssoOnly: false }
    const signIn = signInId === null ? null : await em.findOne(SignIn, going)
    const member = userId && (await em.findOne(Member, { organizationId, userId }))
    if (!signIn || !userId || signIn.userId !== userId || !member) {
      throw new SluiceError('SLUICE_SSO_INTERRUPTED')
    }
    const user = await em.findOneOrFail(User, { id: userId })
    const link = await findLink(em, connection, person)
    if (link && link.userId !== userId) throw new SluiceError('SLUICE_SSO_OTHER_PERSON')
    if (link) link.lastUsedAt = now()
    else {
      addLink(em, connection, person, user, now())
      const target = { type: 'member', id: member.id } as const
      const details = person.subject.slice(0, 300)
      recordAct(em, {
        action: 'sso.linked',
        actor: user,
        organizationId,
        target,
        details,
        ip,
        at: now(),
      })
    }
    await prove(context, em, connection, person, signIn.id)
    await em.flush()
  })
  await announceMembership(revocations, { organizationId, userId: userId ?? '' })
}

/** Whom issuer and subject mean. An address decides only where its domain is proven to be the organization's. */
async function userOf(
  { now }: Context,
  em: EntityManager,
  connection: SsoConnection,
  person: SsoPerson,
): Promise<User> {
  const link = await findLink(em, connection, person)
  if (link) {
    link.lastUsedAt = now()
    return em.findOneOrFail(User, { id: link.userId })
  }
  const email = await ownEmailOf(em, connection, person)
  const known = await em.findOne(User, { email })
  // Whoever signed up with the address may be somebody else, who still knows the password.
  if (known && !known.emailVerifiedAt) throw new SluiceError('SLUICE_SSO_ACCOUNT_UNCONFIRMED')
  if (!known && !connection.admitsNewMembers) throw new SluiceError('SLUICE_SSO_NOT_A_MEMBER')
  const at = now()
  const user =
    known ??
    (await addUser(em, {
      email,
      name: displayNameOf(person.name, email),
      passwordHash: null,
      isAdmin: false,
      createdAt: at,
      emailVerifiedAt: at,
    }))
  addLink(em, connection, person, user, at)
  await em.flush()
  return user
}

async function ownEmailOf(
  em: EntityManager,
  { organizationId }: SsoConnection,
  { email: text, isEmailDenied }: SsoPerson,
): Promise<string> {
  if (text === null || isEmailDenied) throw new SluiceError('SLUICE_SSO_EMAIL_FOREIGN')
  const email = emailOf(text)
  if ((await organizationOfEmail(em, email)) !== organizationId) {
    throw new SluiceError('SLUICE_SSO_EMAIL_FOREIGN')
  }
  return email
}

/** The membership, with the role that the identity provider decides where the organization lets it. */
async function memberOf(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  connection: SsoConnection,
  person: SsoPerson,
  user: User,
): Promise<{ member: Member; isChanged: boolean }> {
  const { organizationId } = connection
  const { given } = await roleOf(em, connection, person.roleValues)
  const act = { actor: null, ip, at: now() }
  const present = await em.findOne(Member, { organizationId, userId: user.id })
  if (!present) {
    if (!connection.admitsNewMembers) throw new SluiceError('SLUICE_SSO_NOT_A_MEMBER')
    if (await isLeftToScim(em, { organizationId, userId: user.id }, act.at)) {
      throw new SluiceError('SLUICE_SSO_DEPROVISIONED')
    }
    const how = 'by single sign-on'
    const admitted = await admitMember(em, {
      organizationId,
      userId: user.id,
      how,
      ...given,
      ...act,
    })
    return { member: admitted.member, isChanged: true }
  }
  const isDecided = connection.roleAttribute !== null && present.role !== 'OWNER'
  const isChanged = isDecided && (await assignRole(em, present, given, act))
  return { member: present, isChanged }
}

function findLink(
  em: EntityManager,
  { id: connectionId }: SsoConnection,
  { issuer, subject }: SsoPerson,
): Promise<SsoLink | null> {
  return em.findOne(SsoLink, { connectionId, issuer, subject })
}

function addLink(
  em: EntityManager,
  { id: connectionId }: SsoConnection,
  { issuer, subject }: SsoPerson,
  { id: userId }: User,
  at: Date,
): void {
  em.persist(
    em.create(SsoLink, { connectionId, issuer, subject, userId, createdAt: at, lastUsedAt: at }),
  )
}

async function prove(
  { sealer, now }: Context,
  em: EntityManager,
  { id: connectionId }: SsoConnection,
  { session, sessionEndsAt }: SsoPerson,
  signInId: string,
): Promise<void> {
  const provedAt = now()
  const latest = provedAt.getTime() + ssoProofLifeMs
  const expiresAt = new Date(Math.min(latest, sessionEndsAt?.getTime() ?? latest))
  const { sealed, sealingKeyId } = sealer.seal(JSON.stringify(session), sessionOwnerOf(signInId))
  await em.flush()
  const proof = { signInId, connectionId, provedAt, expiresAt, sealedSession: sealed, sealingKeyId }
  await em.upsert(SsoProof, proof, {
    onConflictFields: ['signInId', 'connectionId'],
    onConflictExcludeFields: ['id'],
  })
}

/** Whom a sealed session at a provider belongs to: moved to another sign-in it does not open. */
export function sessionOwnerOf(signInId: string): string {
  return `sso-session:${signInId}`
}

/** What the provider calls them, if it is fit to be seen; else what stands before the @. */
function displayNameOf(name: string | null, email: string): string {
  try {
    return nameOf(name?.slice(0, 100) ?? '', 'the name')
  } catch {
    return email.slice(0, email.indexOf('@')).slice(0, 100)
  }
}
