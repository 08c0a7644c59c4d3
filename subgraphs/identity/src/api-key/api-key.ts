import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import {
  covers,
  namesOf,
  type Permission,
  permissionNames,
  type PermissionSet,
  permissionSet,
} from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { parseTerms, type CredentialTerms } from '../credential/credential-terms.ts'
import { newCredential, secretColumns } from '../credential/credential.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { endByRotation, expiryOfSuccessor, parseOverlap } from '../rotation/rotation.ts'
import { findActingAccount } from '../service-account/service-account.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { ApiKey } from './api-key.entity.ts'
import { revokeApiKeys } from './revoke-api-keys.ts'

const apiKeysMax = 200
const requestsPerMinuteMax = 60_000

export interface ApiKeyInput extends CredentialTerms {
  organizationId: string
  name: string
  /** Names of permissions. */
  permissions: readonly string[]
  requestsPerMinute?: number | null | undefined
  serviceAccountId?: string | null | undefined
}

export interface CreatedApiKey {
  apiKey: ApiKey
  /** Shown once. */
  secret: string
}

/** The API keys of an organization, newest first, revoked ones too. */
export async function apiKeyPage(
  { em, principal }: Context,
  organizationId: string,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<ApiKey>> {
  assertMay(principal, organizationId, 'api-keys.read')
  return pageOf(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    (rows, after) =>
      em.find(
        ApiKey,
        { organizationId, ...afterKeyset('createdAt', after) },
        { orderBy: { createdAt: 'desc', id: 'desc' }, limit: rows },
      ),
  )
}

/** Makes an API key of the organization that may do at most what its maker may. The secret is in the answer and nowhere else. */
export async function createApiKey(context: Context, input: ApiKeyInput): Promise<CreatedApiKey> {
  const { principal, attempts, visitorIp, now } = context
  const { organizationId, serviceAccountId = null, requestsPerMinute = null } = input
  const userId = personOf(context)
  assertMay(principal, organizationId, 'api-keys.manage')
  const name = nameOf(input.name, 'the name')
  const permissions = parsePermissions(input.permissions)
  assertRate(requestsPerMinute)
  const terms = parseTerms(input, now())
  await attempts.count(attemptLimits.createByUser, userId)

  const secret = newCredential('api-key')
  const apiKey = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, userId, 'api-keys.manage')
    if (!covers(actor.permissions, permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
    if (serviceAccountId !== null) {
      assertMay(principal, organizationId, 'service-accounts.manage')
      const acting = await findActingAccount(em, organizationId, serviceAccountId)
      if (!covers(acting.permissions, permissions)) {
        throw inputInvalid('the service account may not do all of it')
      }
    }
    if ((await em.count(ApiKey, { organizationId, revokedAt: null })) >= apiKeysMax) {
      throw new SluiceError('SLUICE_API_KEYS_MAX', { max: apiKeysMax })
    }
    const created = em.create(ApiKey, {
      id: crypto.randomUUID(),
      organizationId,
      name,
      ...secretColumns(secret),
      ...terms,
      permissions,
      requestsPerMinute,
      createdAt: now(),
      createdBy: userId,
      serviceAccountId,
    })
    em.persist(created)
    recordAct(em, {
      action: 'api-key.created',
      actor: actor.user,
      organizationId,
      target: { type: 'api-key', id: created.id },
      details: `${name} (${namesOf(permissions).join(', ')})`.slice(0, 500),
      ip: visitorIp,
      at: now(),
    })
    await em.flush()
    return created
  })
  return { apiKey, secret }
}

/** Puts a new API key in the place of one, which stays good during the overlap. It may do the same, and lives as long. */
export async function rotateApiKey(
  context: Context,
  id: string,
  overlap: number,
): Promise<CreatedApiKey> {
  const { em, principal, attempts, visitorIp, revocations, now } = context
  const userId = personOf(context)
  const old = await findApiKey(context, id)
  const { organizationId } = old
  assertMay(principal, organizationId, 'api-keys.manage')
  const overlapSeconds = parseOverlap(overlap)
  await attempts.count(attemptLimits.createByUser, userId)

  const secret = newCredential('api-key')
  const { apiKey, ended } = await em.transactional(async (inside) => {
    const actor = await lockAsActor(inside, organizationId, userId, 'api-keys.manage')
    // Whoever rotates sees the new secret, and could use it.
    if (!covers(actor.permissions, old.permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
    const successor = inside.create(ApiKey, {
      id: crypto.randomUUID(),
      organizationId,
      name: old.name,
      ...secretColumns(secret),
      permissions: old.permissions,
      requestsPerMinute: old.requestsPerMinute ?? null,
      allowedIps: old.allowedIps,
      expiresAt: expiryOfSuccessor(old, now()),
      createdAt: now(),
      createdBy: userId,
      serviceAccountId: old.serviceAccountId ?? null,
    })
    inside.persist(successor)
    const endedNow = await endByRotation(inside, {
      kind: 'api-key',
      id,
      organizationId,
      successorId: successor.id,
      overlapSeconds,
      by: userId,
      at: now(),
    })
    recordAct(inside, {
      action: 'api-key.rotated',
      actor: actor.user,
      organizationId,
      target: { type: 'api-key', id },
      details: `${old.name}, both good for ${overlapSeconds} s`,
      ip: visitorIp,
      at: now(),
    })
    await inside.flush()
    return { apiKey: successor, ended: endedNow }
  })
  if (ended) await revocations.publish('api-key', id)
  return { apiKey, secret }
}

/** Ends an API key at once, everywhere. */
export async function revokeApiKey(context: Context, id: string): Promise<ApiKey> {
  const { em, principal, visitorIp, revocations, now } = context
  const userId = personOf(context)
  const found = await findApiKey(context, id)
  assertMay(principal, found.organizationId, 'api-keys.manage')
  const revoked = await em.transactional(async (inside) => {
    const actor = await lockAsActor(inside, found.organizationId, userId, 'api-keys.manage')
    return revokeApiKeys(inside, [found], { actor: actor.user, ip: visitorIp, at: now() })
  })
  for (const one of revoked) await revocations.publish('api-key', one)
  return em.findOneOrFail(ApiKey, { id }, { refresh: true })
}

/** Finds a key of the principal's organizations. Another's counts as missing. */
async function findApiKey({ em }: Context, id: string): Promise<ApiKey> {
  const found = isUuid(id) ? await em.findOne(ApiKey, { id }) : null
  if (!found) throw new SluiceError('SLUICE_API_KEY_NOT_FOUND')
  return found
}

function parsePermissions(names: readonly string[]): PermissionSet {
  const unknown = names.find((name) => !permissionNames.some((known) => known === name))
  if (unknown !== undefined) throw inputInvalid(`there is no permission ${unknown.slice(0, 64)}`)
  if (names.length === 0) throw inputInvalid('an API key needs a permission')
  return permissionSet(names as Permission[])
}

function assertRate(requestsPerMinute: number | null): void {
  if (requestsPerMinute === null) return
  if (requestsPerMinute < 1 || requestsPerMinute > requestsPerMinuteMax) {
    throw inputInvalid(`requestsPerMinute is not from 1 to ${requestsPerMinuteMax}`)
  }
}

/** Whether everything that a key may do its maker may do still: what a person who looks after keys wants to know. */
export function makerHolds(held: PermissionSet | null, { permissions }: ApiKey): boolean {
  return held !== null && covers(held, permissions)
}
