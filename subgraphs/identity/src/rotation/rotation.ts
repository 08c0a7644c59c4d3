import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay, may } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'

import { assertProved } from '../account/assert-proved.ts'
import type { Context } from '../context.ts'
import { staffOf } from '../staff/staff.ts'
import { inputInvalid } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { SecretRotation, type RotationKind } from './secret-rotation.entity.ts'

const overlapSecondsMax = 30 * 86_400
/** Live streams are looked at again every minute: in less, one that the old secret opened could outlive it. */
const overlapSecondsMin = 120

/** How long old and new are both good: not at all, or from two minutes to thirty days. */
export function parseOverlap(seconds: number): number {
  if (seconds === 0 || (seconds >= overlapSecondsMin && seconds <= overlapSecondsMax)) {
    return seconds
  }
  throw inputInvalid(
    `overlapSeconds is neither 0 nor from ${overlapSecondsMin} to ${overlapSecondsMax}`,
  )
}

const tables = { authtoken: 'authtoken', 'api-key': 'api_key' } as const

interface Ending {
  kind: keyof typeof tables
  id: string
  organizationId: string
  successorId: string
  overlapSeconds: number
  /** The person who rotates. */
  by: string
  at: Date
}

/**
 * Has a credential end when the overlap is over, and writes it into the ledger. Of two who rotate one at once, the row lets
 * one: the other gets SLUICE_CREDENTIAL_ENDED. Part of the caller's transaction; says whether it has ended already.
 */
export async function endByRotation(em: EntityManager, ending: Ending): Promise<boolean> {
  const { kind, id, organizationId, successorId, overlapSeconds, by, at } = ending
  const ended = overlapSeconds === 0
  const endsAt = new Date(at.getTime() + overlapSeconds * 1000)
  const [row] = await em.execute<{ expires_at: string }[]>(
    `update "identity"."${tables[kind]}" set successor_id = ?,
       expires_at = least(expires_at, ?), revoked_at = ?, revoked_reason = ?
     where id = ? and revoked_at is null and successor_id is null
       and (expires_at is null or expires_at > ?) returning expires_at`,
    [successorId, endsAt, ended ? at : null, ended ? 'replaced' : null, id, at],
  )
  if (!row) throw new SluiceError('SLUICE_CREDENTIAL_ENDED')
  em.persist(
    em.create(SecretRotation, {
      organizationId,
      kind,
      secretId: id,
      successorId,
      at,
      by,
      oldEndsAt: new Date(row.expires_at),
      finishedAt: ended ? at : null,
      verifiedAt: null,
    }),
  )
  return ended
}

/** A successor lives as long as the one before it was meant to. */
export function expiryOfSuccessor(
  { createdAt, expiresAt }: { createdAt: Date; expiresAt?: Date | null | undefined },
  at: Date,
): Date | null {
  return expiresAt ? new Date(at.getTime() + expiresAt.getTime() - createdAt.getTime()) : null
}

/** The rotations of an organization, newest first: for whoever may see both authtokens and API keys, or their part. */
export async function rotationPage(
  { em, principal }: Context,
  organizationId: string,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<SecretRotation>> {
  const kinds: RotationKind[] = []
  if (may(principal, organizationId, 'authtokens.read')) kinds.push('authtoken')
  if (may(principal, organizationId, 'api-keys.read')) kinds.push('api-key')
  if (kinds.length === 0) assertMay(principal, organizationId, 'authtokens.read')
  return pageOf(
    args,
    ({ at, id }) => ({ at, id }),
    (rows, after) =>
      em.find(
        SecretRotation,
        { organizationId, kind: { $in: kinds }, ...afterKeyset('at', after) },
        { orderBy: { at: 'desc', id: 'desc' }, limit: rows },
      ),
  )
}

/** Notes what has ended since. Several replicas may do it at once. */
export async function finishRotations(em: EntityManager, now: Date): Promise<void> {
  await em.execute(
    `update "identity"."secret_rotations" set finished_at = old_ends_at
     where finished_at is null and old_ends_at <= ?`,
    [now],
  )
}

const signingKeyRotationsShownMax = 20

/** The latest rotations of signing keys, and of keys by which gateways are known. For staff. */
export async function findSigningKeyRotations(context: Context): Promise<SecretRotation[]> {
  staffOf(context)
  return forkSystem(context.orm).find(
    SecretRotation,
    { kind: { $in: ['signing-key', 'internal-key'] } },
    { orderBy: { at: 'desc' }, limit: signingKeyRotationsShownMax },
  )
}

/** Begins a rotation of signing keys by hand; one that is on its way goes on. For staff who have shown that it is them. */
export async function rotateSigningKeys(context: Context): Promise<SecretRotation> {
  const { orm, signingKeyRotation, visitorIp } = context
  const userId = staffOf(context)
  await assertProved(context)
  return forkSystem(orm).transactional(async (em) => {
    const user = await em.findOneOrFail(User, { id: userId })
    return signingKeyRotation.begin(em, user, visitorIp)
  })
}
