import { LockMode } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { recordRevocations } from '../revocation/revocation-list.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { inputInvalid } from '../text.ts'
import { commonOf, type Credential } from './credential-kinds.ts'
import {
  allowsMore,
  endsLater,
  parseTerms,
  type CredentialTerms,
  type Terms,
} from './credential-terms.ts'
import {
  assertCovers,
  assertHas,
  findToKeep,
  lockAsKeeper,
  recordCredentialAct,
  type CredentialRules,
} from './credentials.ts'

/**
 * Changes until when and from where a credential is good; what is left out stays. Whoever may end one may narrow it: that
 * holds at once everywhere, as agents and streams that stand on it ask again. To allow more one must be able to make one
 * that may do as much. What has ended stays so.
 */
export async function changeCredential<Row extends Credential & Own, Own extends object>(
  context: Context,
  rules: CredentialRules<Row, Own>,
  id: string,
  wanted: CredentialTerms,
): Promise<Row> {
  const { attempts, revocations, now } = context
  const { old, userId } = await findToKeep(context, rules, id)
  const given = parseTerms(wanted, now())
  await attempts.count(attemptLimits.createByUser, userId)

  const { row, isNarrower } = await context.em.transactional(async (em) => {
    const actor = await lockAsKeeper(em, rules, old, userId)
    const found = await lockGood(em, rules, id, now())
    const before = termsOf(found)
    const after = {
      expiresAt: wanted.expiresAt === undefined ? before.expiresAt : given.expiresAt,
      allowedIps: wanted.allowedIps === undefined ? before.allowedIps : given.allowedIps,
    }
    const changes = [
      ...told('ends', endOf(before), endOf(after)),
      ...told('from', fromOf(before), fromOf(after)),
    ]
    if (changes.length === 0) return { row: found, isNarrower: false }

    if (allowsMore(before, after)) {
      // The overlap of a rotation was chosen, and streams of the old secret end with it.
      if (found.successorId && endsLater(before, after)) {
        throw inputInvalid('it has a successor, and so ends no later than was chosen then')
      }
      assertHas(actor, rules.may.create)
      await assertCovers(em, rules, actor, found)
    }
    Object.assign(found, after, endOf(before) === endOf(after) ? {} : rules.fresh)
    const narrower = allowsMore(after, before)
    if (narrower) {
      recordRevocations(em, rules.kind.name, [id], { at: now(), reason: 'narrowed' })
    }
    if (found.successorId) await noteEnd(em, id, after.expiresAt)
    recordCredentialAct(context, em, rules.kind, 'changed', {
      actor,
      row: found,
      details: `${found.name}: ${changes.join('; ')}`,
    })
    await em.flush()
    return { row: found, isNarrower: narrower }
  })
  if (isNarrower) await revocations.publish(rules.kind.name, id)
  return row
}

/** The row as it is now, kept from others until the transaction ends. */
async function lockGood<Row extends Credential & Own, Own extends object>(
  em: EntityManager,
  { kind, codes }: CredentialRules<Row, Own>,
  id: string,
  at: Date,
): Promise<Row> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true } as const
  const found = (await em.findOne(commonOf(kind).entity, { id }, lock)) as Row | null
  if (!found) throw new SluiceError(codes.missing)
  const { revokedAt, expiresAt } = found
  if (revokedAt || (expiresAt && expiresAt <= at)) throw new SluiceError('SLUICE_CREDENTIAL_ENDED')
  return found
}

/** The ledger says when the old one of a rotation ends. */
async function noteEnd(em: EntityManager, id: string, endsAt: Date | null): Promise<void> {
  await em.execute(
    `update "identity"."secret_rotations" set old_ends_at = ? where secret_id = ? and finished_at is null`,
    [endsAt, id],
  )
}

function termsOf({ expiresAt = null, allowedIps }: Credential): Terms {
  return { expiresAt, allowedIps }
}

const endOf = ({ expiresAt }: Terms) => expiresAt?.toISOString() ?? 'never'
const fromOf = ({ allowedIps }: Terms) => allowedIps.join(', ') || 'anywhere'

const toldCharactersMax = 180

/** Before and after, each cut so that an entry of the audit has room for both. */
function told(what: string, before: string, after: string): string[] {
  if (before === after) return []
  const [was, is] = [before, after].map((text) =>
    text.length > toldCharactersMax ? `${text.slice(0, toldCharactersMax)}…` : text,
  )
  return [`${what} ${is}, was ${was}`]
}
