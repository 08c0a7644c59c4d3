import { forkFor, forkSystem } from '@sluice/kit/database'
import { anonymous, assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { assertProved } from '../account/assert-proved.ts'
import { recordAct, type AuditAction } from '../audit/audit.ts'
import type { Context, Deps } from '../context.ts'
import { hashOf, isWellFormed, newCredential, shownPrefixOf } from '../credential/credential.ts'
import { Organization } from '../organization/organization.entity.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { inputInvalid, nameOf } from '../text.ts'
import type { User } from '../user/user.entity.ts'
import type { Call } from './scim-call.ts'
import { ScimError } from './scim-error.ts'
import { ScimToken } from './scim-token.entity.ts'

/** An organization has one identity provider, and another one while it moves. */
const scimTokensMax = 10
const overlapHoursMax = 7 * 24

/** The SCIM tokens of an organization, the newest first, void ones too. */
export async function findScimTokens(
  { em, principal }: Context,
  organizationId: string,
): Promise<ScimToken[]> {
  assertMay(principal, organizationId, 'sso.manage')
  const orderBy = { createdAt: 'desc', id: 'desc' } as const
  return em.find(ScimToken, { organizationId }, { orderBy, limit: scimTokensShownMax })
}
const scimTokensShownMax = 50

export interface NewScimToken {
  token: ScimToken
  /** In this answer and nowhere else. */
  secret: string
}

/** Makes a token with which an identity provider manages people and groups. Asks for a fresh proof of who it is. */
export async function createScimToken(
  context: Context,
  organizationId: string,
  nameText: string,
): Promise<NewScimToken> {
  const actorId = personOf(context)
  assertMay(context.principal, organizationId, 'sso.manage')
  const name = nameOf(nameText, 'the name')
  await assertProved(context)
  return context.em.transactional(async (em) => {
    const { user } = await lockAsActor(em, organizationId, actorId, 'sso.manage')
    const made = await addToken(context, em, organizationId, name, user)
    await em.flush()
    return made
  })
}

/** Makes a successor; the old one works beside it for so many hours, so that nothing stops while the provider learns it. */
export async function rotateScimToken(
  context: Context,
  id: string,
  overlapHours: number,
): Promise<NewScimToken> {
  const actorId = personOf(context)
  if (!Number.isInteger(overlapHours) || overlapHours < 0 || overlapHours > overlapHoursMax) {
    throw inputInvalid(`the overlap is 0 to ${overlapHoursMax} hours`)
  }
  const { organizationId } = await findToken(context, id)
  await assertProved(context)
  return context.em.transactional(async (em) => {
    const { user } = await lockAsActor(em, organizationId, actorId, 'sso.manage')
    const old = await em.findOneOrFail(ScimToken, { id }, { refresh: true })
    if (!isGood(old, context.now())) throw new SluiceError('SLUICE_SCIM_TOKEN_NOT_FOUND')
    const endsAt = new Date(context.now().getTime() + overlapHours * 3_600_000)
    // A rotation never lengthens what an earlier one has bounded.
    if (!old.expiresAt || old.expiresAt > endsAt) old.expiresAt = endsAt
    act(context, em, 'scim-token.rotated', old, user, `works until ${old.expiresAt.toISOString()}`)
    const made = await addToken(context, em, organizationId, old.name, user)
    await em.flush()
    return made
  })
}

/** Ends a token at once. */
export async function revokeScimToken(context: Context, id: string): Promise<ScimToken> {
  const actorId = personOf(context)
  const { organizationId } = await findToken(context, id)
  return context.em.transactional(async (em) => {
    const { user } = await lockAsActor(em, organizationId, actorId, 'sso.manage')
    const token = await em.findOneOrFail(ScimToken, { id }, { refresh: true })
    if (token.revokedAt) return token
    token.revokedAt = context.now()
    act(context, em, 'scim-token.revoked', token, user)
    await em.flush()
    return token
  })
}

/** `lastUsedAt` is written at most this often: it is for people, and a write per request is not. */
const lastUsedEveryMs = 60_000

/** Whose call it is, by `Authorization: Bearer slc_…`. Throws 401 for nobody's. */
export async function authenticateCall(
  deps: Deps,
  authorization: string | null,
  ip: string,
  baseUrl: string,
): Promise<Call> {
  const secret = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? ''
  if (!isWellFormed('scim-token', secret)) throw unauthorized()
  // The organization is what the token tells.
  const system = forkSystem(deps.orm)
  const token = await system.findOne(ScimToken, { secretHash: hashOf(secret) })
  const now = deps.now()
  if (!token || !isGood(token, now)) throw unauthorized()
  const { organizationId } = token
  const { suspendedAt, suspensionReason } = await system.findOneOrFail(Organization, {
    id: organizationId,
  })
  if (suspendedAt) {
    throw new SluiceError('SLUICE_ORGANIZATION_SUSPENDED', { reason: suspensionReason ?? '' })
  }
  if (!token.lastUsedAt || now.getTime() - token.lastUsedAt.getTime() >= lastUsedEveryMs) {
    await system.nativeUpdate(
      ScimToken,
      { id: token.id },
      { lastUsedAt: now, lastUsedIp: ip || null },
    )
  }
  const scope = {
    ...anonymous,
    memberships: [{ organizationId, role: 'VIEWER', permissions: 0 } as const],
  }
  return {
    em: forkFor(deps.orm, scope),
    organizationId,
    tokenId: token.id,
    tokenName: token.name,
    ip,
    baseUrl,
    deps,
  }
}

function isGood({ revokedAt, expiresAt }: ScimToken, now: Date): boolean {
  return !revokedAt && (!expiresAt || expiresAt > now)
}

async function addToken(
  context: Context,
  em: Context['em'],
  organizationId: string,
  name: string,
  user: User,
): Promise<NewScimToken> {
  const now = context.now()
  const good = {
    organizationId,
    revokedAt: null,
    $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }],
  }
  if ((await em.count(ScimToken, good)) >= scimTokensMax) {
    throw new SluiceError('SLUICE_SCIM_TOKENS_MAX', { max: scimTokensMax })
  }
  const secret = newCredential('scim-token')
  const token = em.create(ScimToken, {
    id: crypto.randomUUID(),
    organizationId,
    name,
    prefix: shownPrefixOf(secret),
    secretHash: hashOf(secret),
    createdAt: now,
    createdBy: user.id,
    lastUsedAt: null,
    lastUsedIp: null,
    expiresAt: null,
    revokedAt: null,
  })
  em.persist(token)
  act(context, em, 'scim-token.created', token, user)
  return { token, secret }
}

/** Finds a token of the principal's organizations. Another's counts as missing. */
async function findToken({ em, principal }: Context, id: string): Promise<ScimToken> {
  const token = isUuid(id) ? await em.findOne(ScimToken, { id }) : null
  if (!token) throw new SluiceError('SLUICE_SCIM_TOKEN_NOT_FOUND')
  assertMay(principal, token.organizationId, 'sso.manage')
  return token
}

function act(
  { visitorIp: ip, now }: Context,
  em: Context['em'],
  action: AuditAction,
  { id, name, organizationId }: ScimToken,
  actor: User,
  details?: string,
): void {
  recordAct(em, {
    action,
    actor,
    organizationId,
    target: { type: 'scim-token', id },
    details: details ? `${name}: ${details}` : name,
    ip,
    at: now(),
  })
}

function unauthorized(): ScimError {
  return new ScimError(401, 'The SCIM token is missing, revoked or not one of this server.', null, {
    'www-authenticate': 'Bearer realm="SCIM"',
  })
}
