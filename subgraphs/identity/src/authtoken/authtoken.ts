import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay, may } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import {
  type AuthtokenScope,
  authtokenScopes,
  covers,
  type PermissionSet,
  permissionsOfScopes,
} from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { parseTerms, type CredentialTerms } from '../credential/credential-terms.ts'
import { newCredential, secretColumns } from '../credential/credential.ts'
import { Member } from '../organization/member.entity.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { lookUpRole } from '../role/held-permissions.ts'
import { endByRotation, expiryOfSuccessor, parseOverlap } from '../rotation/rotation.ts'
import { ServiceAccount } from '../service-account/service-account.entity.ts'
import { findActingAccount } from '../service-account/service-account.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { Authtoken } from './authtoken.entity.ts'
import { revokeAuthtokens } from './revoke-authtokens.ts'

const authtokensMax = 200

/** The authtokens of an organization, newest first, revoked ones too. For its members. */
export async function authtokenPage(
  { em, principal }: Context,
  organizationId: string,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<Authtoken>> {
  assertMay(principal, organizationId, 'authtokens.read')
  return pageOf(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    (rows, after) =>
      em.find(
        Authtoken,
        { organizationId, ...afterKeyset('createdAt', after) },
        { orderBy: { createdAt: 'desc', id: 'desc' }, limit: rows },
      ),
  )
}

export interface AuthtokenTerms extends CredentialTerms {
  /** Whom it acts for; whoever asks when left out. */
  serviceAccountId?: string | null | undefined
}

export interface CreatedAuthtoken {
  authtoken: Authtoken
  /** Shown once. */
  secret: string
}

/** Makes an authtoken that acts for whoever asks, or for a service account. The secret is in the answer and nowhere else. */
export async function createAuthtoken(
  context: Context,
  organizationId: string,
  nameText: string,
  scopes: readonly AuthtokenScope[] = authtokenScopes,
  { serviceAccountId = null, ...wanted }: AuthtokenTerms = {},
): Promise<CreatedAuthtoken> {
  const { principal, attempts, visitorIp, now } = context
  const userId = personOf(context)
  assertMay(principal, organizationId, 'authtokens.create')
  const name = nameOf(nameText, 'the name')
  if (scopes.length === 0) throw inputInvalid('an authtoken needs a scope')
  const terms = parseTerms(wanted, now())
  await attempts.count(attemptLimits.createByUser, userId)

  const secret = newCredential('authtoken')
  const authtoken = await context.em.transactional(async (em) => {
    const permission = serviceAccountId === null ? 'authtokens.create' : 'service-accounts.manage'
    const actor = await lockAsActor(em, organizationId, userId, permission)
    if (serviceAccountId !== null) {
      const acting = await findActingAccount(em, organizationId, serviceAccountId)
      const given = acting.permissions & permissionsOfScopes(scopes)
      if (!covers(actor.permissions, given)) throw new SluiceError('SLUICE_FORBIDDEN')
    }
    if ((await em.count(Authtoken, { organizationId, revokedAt: null })) >= authtokensMax) {
      throw new SluiceError('SLUICE_AUTHTOKENS_MAX', { max: authtokensMax })
    }
    const created = em.create(Authtoken, {
      id: crypto.randomUUID(),
      organizationId,
      name,
      ...secretColumns(secret),
      expiryToldAt: null,
      ...terms,
      scopes: authtokenScopes.filter((scope) => scopes.includes(scope)),
      createdAt: now(),
      createdBy: userId,
      serviceAccountId,
    })
    em.persist(created)
    recordAct(em, {
      action: 'authtoken.created',
      actor: actor.user,
      organizationId,
      target: { type: 'authtoken', id: created.id },
      details: `${name} (${created.scopes.join(', ')})`,
      ip: visitorIp,
      at: now(),
    })
    await em.flush()
    return created
  })
  return { authtoken, secret }
}

/**
 * Puts a new authtoken in the place of one, which stays good during the overlap. It acts for the same member or service
 * account and lives as long. Whoever rotates sees the new secret, so they must hold what it may do.
 */
export async function rotateAuthtoken(
  context: Context,
  id: string,
  overlap: number,
): Promise<CreatedAuthtoken> {
  const { em, attempts, visitorIp, revocations, now } = context
  const userId = personOf(context)
  const old = await findAuthtoken(context, id)
  assertMayEnd(context, old, userId)
  const { organizationId } = old
  const overlapSeconds = parseOverlap(overlap)
  await attempts.count(attemptLimits.createByUser, userId)

  const secret = newCredential('authtoken')
  const { authtoken, ended } = await em.transactional(async (inside) => {
    const actor = await lockAsActor(inside, organizationId, userId, 'authtokens.create')
    const given = (await heldBy(inside, old)) & permissionsOfScopes(old.scopes)
    if (!covers(actor.permissions, given)) throw new SluiceError('SLUICE_FORBIDDEN')
    const successor = inside.create(Authtoken, {
      id: crypto.randomUUID(),
      organizationId,
      name: old.name,
      ...secretColumns(secret),
      expiryToldAt: null,
      scopes: old.scopes,
      allowedIps: old.allowedIps,
      expiresAt: expiryOfSuccessor(old, now()),
      createdAt: now(),
      createdBy: old.createdBy ?? null,
      serviceAccountId: old.serviceAccountId ?? null,
    })
    inside.persist(successor)
    const endedNow = await endByRotation(inside, {
      kind: 'authtoken',
      id,
      organizationId,
      successorId: successor.id,
      overlapSeconds,
      by: userId,
      at: now(),
    })
    recordAct(inside, {
      action: 'authtoken.rotated',
      actor: actor.user,
      organizationId,
      target: { type: 'authtoken', id },
      details: `${old.name}, both good for ${overlapSeconds} s`,
      ip: visitorIp,
      at: now(),
    })
    await inside.flush()
    return { authtoken: successor, ended: endedNow }
  })
  if (ended) await revocations.publish('authtoken', id)
  return { authtoken, secret }
}

/** Ends an authtoken at once, everywhere. For whoever made it, and for who looks after those of others. */
export async function revokeAuthtoken(context: Context, id: string): Promise<Authtoken> {
  const { em, visitorIp, revocations, now } = context
  const userId = personOf(context)
  const found = await findAuthtoken(context, id)
  assertMayEnd(context, found, userId)

  const revoked = await em.transactional(async (inside) => {
    const actor = await inside.findOneOrFail(User, { id: userId })
    return revokeAuthtokens(inside, [found], { actor, ip: visitorIp, at: now() })
  })
  context.wakeOutbox()
  for (const one of revoked) await revocations.publish('authtoken', one)
  return em.findOneOrFail(Authtoken, { id }, { refresh: true })
}

/** Finds an authtoken of the principal's organizations. Another's counts as missing. */
async function findAuthtoken({ em }: Context, id: string): Promise<Authtoken> {
  const found = isUuid(id) ? await em.findOne(Authtoken, { id }) : null
  if (!found) throw new SluiceError('SLUICE_AUTHTOKEN_NOT_FOUND')
  return found
}

function assertMayEnd({ principal }: Context, found: Authtoken, userId: string): void {
  if (found.createdBy === userId && !found.serviceAccountId) return
  if (!may(principal, found.organizationId, 'authtokens.manage')) {
    throw new SluiceError('SLUICE_FORBIDDEN')
  }
}

/** What whoever an authtoken acts for may do; nothing once they are gone. */
async function heldBy(
  em: EntityManager,
  { organizationId, serviceAccountId, createdBy }: Authtoken,
): Promise<PermissionSet> {
  const holder = serviceAccountId
    ? await em.findOne(ServiceAccount, { id: serviceAccountId, organizationId })
    : createdBy
      ? await em.findOne(Member, { userId: createdBy, organizationId })
      : null
  if (!holder) return 0
  const { permissions } = await lookUpRole(em, organizationId, {
    role: holder.role,
    customRoleId: holder.customRoleId ?? null,
  })
  return permissions
}

/** Relays look back no further than agent tokens can live. */
const lookBackMsMax = 2 * 86_400_000
const revokedMax = 10_000

/** Authtokens revoked since then, the latest first: what a relay has missed of the announcements. For relay keys only. */
export async function listRevokedAuthtokens(
  { principal, orm, now }: Context,
  since: Date,
): Promise<{ id: string; at: Date }[]> {
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  const oldest = new Date(Math.max(since.getTime(), now().getTime() - lookBackMsMax))
  // A relay serves every organization.
  const found = await forkSystem(orm).find(
    Authtoken,
    { revokedAt: { $gte: oldest } },
    { orderBy: { revokedAt: 'desc' }, limit: revokedMax },
  )
  return found.flatMap(({ id, revokedAt }) => (revokedAt ? [{ id, at: revokedAt }] : []))
}
