import type { RequiredEntityData } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay, may } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError, type ErrorCode } from '@sluice/schema/errors'
import {
  covers,
  hasPermission,
  type Permission,
  type PermissionSet,
} from '@sluice/schema/permissions'

import { recordAct, type AuditAction } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { endByRotation, expiryOfSuccessor, parseOverlap } from '../rotation/rotation.ts'
import { findActingAccount } from '../service-account/service-account.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { nameOf } from '../text.ts'
import type { User } from '../user/user.entity.ts'
import { commonOf, type Credential, type Kind } from './credential-kinds.ts'
import { parseTerms, type CredentialTerms } from './credential-terms.ts'
import { newCredential, secretColumns } from './credential.ts'
import { revokeCredentials } from './revoke-credentials.ts'

/** Those that are good; revoked and replaced ones stay in the list. */
const credentialsMax = 200

/** Whom a credential belongs to. */
export type Holder = Pick<Credential, 'organizationId' | 'createdBy' | 'serviceAccountId'>

/** In what authtokens and API keys differ. Everything else about them is in this file. */
export interface CredentialRules<Row extends Credential & Own, Own extends object> {
  readonly kind: Kind<Row>
  readonly may: {
    readonly read: Permission
    readonly create: Permission
    readonly manage: Permission
  }
  readonly codes: { readonly missing: ErrorCode; readonly tooMany: ErrorCode }
  /** Columns that begin anew with each secret, and with each new end. */
  readonly fresh: Partial<Row>
  /** Whether it is somebody's own, which they see to whatever else they may. */
  readonly isOwn: (row: Holder, userId: string) => boolean
  /** What it may do at most, now: nobody makes, widens or sees the secret of one that may do more than they. */
  given(em: EntityManager, row: Holder & Own): Promise<PermissionSet>
  /** Throws for what it may not have when it acts for an account that may do this. */
  assertFits(own: Own, acting: PermissionSet): void
  /** What a successor takes over beside the terms. */
  carriedOver(row: Row, rotatedBy: string): Own & Pick<Holder, 'createdBy'>
  /** What it may do, for the audit. */
  label(own: Own): string
}

export interface CredentialWanted extends CredentialTerms {
  organizationId: string
  name: string
  /** Whom it acts for, in place of whoever asks or of itself. */
  serviceAccountId?: string | null | undefined
}

export interface Created<Row> {
  credential: Row
  /** Shown once. */
  secret: string
}

interface Actor {
  user: User
  permissions: PermissionSet
}

/** The credentials of an organization, newest first, revoked ones too. */
export async function credentialPage<Row extends Credential & Own, Own extends object>(
  { em, principal }: Context,
  { kind, may: { read } }: CredentialRules<Row, Own>,
  organizationId: string,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<Row>> {
  assertMay(principal, organizationId, read)
  const { entity } = commonOf(kind)
  return pageOf(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    async (limit, after) => {
      const where = { organizationId, ...afterKeyset('createdAt', after) }
      return (await em.find(entity, where, {
        orderBy: { createdAt: 'desc', id: 'desc' },
        limit,
      })) as Row[]
    },
  )
}

/** Makes a credential that may do at most what its maker may. The secret is in the answer and nowhere else. */
export async function createCredential<Row extends Credential & Own, Own extends object>(
  context: Context,
  rules: CredentialRules<Row, Own>,
  { organizationId, name: nameText, serviceAccountId = null, ...wanted }: CredentialWanted,
  own: Own,
): Promise<Created<Row>> {
  const { principal, attempts, now } = context
  const userId = personOf(context)
  const { create } = rules.may
  assertMay(principal, organizationId, create)
  const name = nameOf(nameText, 'the name')
  const terms = parseTerms(wanted, now())
  await attempts.count(attemptLimits.createByUser, userId)

  return context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, userId, create)
    if (serviceAccountId !== null) {
      assertHas(actor, 'service-accounts.manage')
      const { permissions } = await findActingAccount(em, organizationId, serviceAccountId)
      rules.assertFits(own, permissions)
    }
    const row = { organizationId, name, createdBy: userId, serviceAccountId, ...terms, ...own }
    await assertCovers(em, rules, actor, row)
    const good = { organizationId, revokedAt: null }
    if ((await em.count(commonOf(rules.kind).entity, good)) >= credentialsMax) {
      throw new SluiceError(rules.codes.tooMany, { max: credentialsMax })
    }
    const created = insert(em, rules, row, now())
    recordCredentialAct(context, em, rules.kind, 'created', {
      actor,
      row: created.credential,
      details: `${name} (${rules.label(own)})`,
    })
    await em.flush()
    return created
  })
}

/**
 * Puts a new credential in the place of one, which stays good during the overlap. It may do the same, and lives as long.
 * Whoever rotates sees the new secret and could use it, so they must hold what it may do.
 */
export async function rotateCredential<Row extends Credential & Own, Own extends object>(
  context: Context,
  rules: CredentialRules<Row, Own>,
  id: string,
  overlap: number,
): Promise<Created<Row>> {
  const { attempts, revocations, now } = context
  const { old, userId } = await findToKeep(context, rules, id)
  const { organizationId, name, allowedIps } = old
  const overlapSeconds = parseOverlap(overlap)
  await attempts.count(attemptLimits.createByUser, userId)

  const { made, isEnded } = await context.em.transactional(async (em) => {
    const actor = await lockAsKeeper(em, rules, old, userId)
    assertHas(actor, rules.may.create)
    await assertCovers(em, rules, actor, old)
    const { serviceAccountId = null } = old
    const expiresAt = expiryOfSuccessor(old, now())
    const carried = rules.carriedOver(old, userId)
    const row = { organizationId, name, serviceAccountId, allowedIps, expiresAt, ...carried }
    const successor = insert(em, rules, row, now())
    const ended = await endByRotation(em, {
      kind: rules.kind.name,
      id,
      organizationId,
      successorId: successor.credential.id,
      overlapSeconds,
      by: userId,
      at: now(),
    })
    recordCredentialAct(context, em, rules.kind, 'rotated', {
      actor,
      row: old,
      details: `${name}, both good for ${overlapSeconds} s`,
    })
    await em.flush()
    return { made: successor, isEnded: ended }
  })
  if (isEnded) await revocations.publish(rules.kind.name, id)
  return made
}

/** Ends a credential at once, everywhere. For whoever it is, and for who looks after those of others. */
export async function revokeCredential<Row extends Credential & Own, Own extends object>(
  context: Context,
  rules: CredentialRules<Row, Own>,
  id: string,
): Promise<Row> {
  const { visitorIp: ip, revocations, now } = context
  const { old, userId } = await findToKeep(context, rules, id)
  const revoked = await context.em.transactional(async (em) => {
    const { user: actor } = await lockAsKeeper(em, rules, old, userId)
    return revokeCredentials(em, rules.kind, [old], { actor, ip, at: now() })
  })
  context.wakeOutbox()
  for (const one of revoked) await revocations.publish(one.kind, one.id)
  const { entity } = commonOf(rules.kind)
  return (await context.em.findOneOrFail(entity, { id }, { refresh: true })) as Row
}

/** Finds a credential that whoever asks sees to. Another organization's counts as missing. */
export async function findToKeep<Row extends Credential & Own, Own extends object>(
  context: Context,
  { kind, may: { manage }, codes, isOwn }: CredentialRules<Row, Own>,
  id: string,
): Promise<{ old: Row; userId: string }> {
  const userId = personOf(context)
  const { entity } = commonOf(kind)
  const old = isUuid(id) ? ((await context.em.findOne(entity, { id })) as Row | null) : null
  if (!old) throw new SluiceError(codes.missing)
  if (!isOwn(old, userId) && !may(context.principal, old.organizationId, manage)) {
    throw new SluiceError('SLUICE_FORBIDDEN')
  }
  return { old, userId }
}

/** The same once more, with the rights that they have now, and keeps them from changing meanwhile. */
export async function lockAsKeeper<Row extends Credential & Own, Own extends object>(
  em: EntityManager,
  { may: { manage }, isOwn }: CredentialRules<Row, Own>,
  row: Row,
  userId: string,
): Promise<Actor> {
  const actor = await lockAsActor(em, row.organizationId, userId, null)
  if (!isOwn(row, userId)) assertHas(actor, manage)
  return actor
}

/** Throws unless they may do all that the credential may. */
export async function assertCovers<Row extends Credential & Own, Own extends object>(
  em: EntityManager,
  rules: CredentialRules<Row, Own>,
  { permissions }: Actor,
  row: Holder & Own,
): Promise<void> {
  if (!covers(permissions, await rules.given(em, row))) throw new SluiceError('SLUICE_FORBIDDEN')
}

export function assertHas({ permissions }: Actor, permission: Permission): void {
  if (!hasPermission(permissions, permission)) throw new SluiceError('SLUICE_FORBIDDEN')
}

const detailsCharactersMax = 500

export function recordCredentialAct(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  { name: type }: Pick<Kind<Credential>, 'name'>,
  what: 'created' | 'rotated' | 'changed',
  { actor, row, details }: { actor: Actor; row: Credential; details: string },
): void {
  const { id, organizationId } = row
  recordAct(em, {
    action: `${type}.${what}` satisfies AuditAction,
    actor: actor.user,
    organizationId,
    target: { type, id },
    details: details.slice(0, detailsCharactersMax),
    ip,
    at: now(),
  })
}

/** A row with a new secret. */
function insert<Row extends Credential & Own, Own extends object>(
  em: EntityManager,
  { kind, fresh }: CredentialRules<Row, Own>,
  row: Holder & Own & Pick<Credential, 'name' | 'expiresAt' | 'allowedIps'>,
  createdAt: Date,
): Created<Row> {
  const secret = newCredential(kind.name)
  const columns: RequiredEntityData<Credential> = {
    id: crypto.randomUUID(),
    ...secretColumns(secret),
    ...fresh,
    ...row,
    createdAt,
  }
  const made = em.create(commonOf(kind).entity, columns) as Row
  em.persist(made)
  return { credential: made, secret }
}
