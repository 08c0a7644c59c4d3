import { forkSystem, type EntityManager } from '@sluice/kit/database'
import type { Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'
import type { Revocation } from '@sluice/schema/redis'

import type { Context, Deps } from '../context.ts'
import type { RevokeReason } from '../credential/credential-properties.ts'
import type { Revocations } from '../revocations.ts'
import { RevokedToken, type RevokedKind } from './revoked-token.entity.ts'

const dayMs = 86_400_000
/** As `agentCredentialUntil`, for entries that no trigger writes. */
const keptMs = 2 * dayMs
/** Nobody looks back further: older entries concern nothing that is still good. */
const lookBackMsMax = 2 * dayMs
const listedMax = 10_000
const announceEveryMs = 500
const announcedAtOnceMax = 500

/**
 * Adds entries to the revoke list where no trigger does: something was switched off that can be switched on again, or allows
 * less than before. Part of the caller's transaction; it is announced after the commit by itself, at once by `revocations.publish`.
 */
export function recordRevocations(
  em: EntityManager,
  kind: RevokedKind,
  ids: readonly string[],
  { at, reason }: { at: Date; reason: RevokeReason | 'narrowed' },
): void {
  const until = new Date(at.getTime() + keptMs)
  for (const id of ids) {
    em.persist(em.create(RevokedToken, { kind, id, at, until, reason, announcedAt: null }))
  }
}

/** What was revoked since then, the latest first: what relays and gateways may have missed of the announcements. */
export async function revocationsSince(
  { orm, now }: Pick<Deps, 'orm' | 'now'>,
  since: Date,
): Promise<{ kind: Revocation['kind']; id: string; at: Date }[]> {
  const oldest = new Date(Math.max(since.getTime(), now().getTime() - lookBackMsMax))
  const rows = await forkSystem(orm).find(
    RevokedToken,
    { at: { $gte: oldest } },
    { orderBy: { at: 'desc', sequence: 'desc' }, limit: listedMax },
  )
  return rows.map(({ kind, id, at }) => ({ kind, id, at }))
}

/** The same for relays, through the graph. */
export function listRevocations(context: Context, since: Date) {
  if (context.principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  return revocationsSince(context, since)
}

/**
 * Announces what is on the list and Redis has not taken yet: entries of triggers, and those of a time without Redis.
 * Replicas share the work; an entry that is told twice harms nothing.
 */
export function openRevocationAnnouncer(options: {
  orm: Orm
  revocations: Revocations
  now: () => Date
  log: Log
}): { close(): Promise<void> } {
  const { orm, revocations, now, log } = options
  let announcing: Promise<void> | null = null
  let failing = false

  async function announce(): Promise<void> {
    try {
      await forkSystem(orm).transactional(async (em) => {
        const rows = await em.execute<{ kind: Revocation['kind']; id: string; at: string }[]>(
          `update "identity"."auth_revoked_tokens" set announced_at = ? where sequence in (
             select sequence from "identity"."auth_revoked_tokens" where announced_at is null
             order by sequence limit ${announcedAtOnceMax} for update skip locked)
           returning kind, id, at`,
          [now()],
        )
        for (const { kind, id, at } of rows) {
          await revocations.announce({ kind, id, at: new Date(at).toISOString() })
        }
      })
      failing = false
    } catch (error) {
      // The entries stay, and the next look tells them. Once is enough for the log.
      if (!failing) log.warn({ err: error }, 'revocations cannot be announced for now')
      failing = true
    }
  }

  const timer = setInterval(() => {
    announcing ??= announce().finally(() => {
      announcing = null
    })
  }, announceEveryMs)
  timer.unref()
  return {
    async close() {
      clearInterval(timer)
      await announcing
    },
  }
}

const purgedAtOnceMax = 10_000

/** Deletes entries that nothing can depend on any more. */
export async function purgeRevocations(em: EntityManager, now: Date): Promise<void> {
  await em.execute(
    `delete from "identity"."auth_revoked_tokens" where sequence in (
       select sequence from "identity"."auth_revoked_tokens" where until < ? limit ${purgedAtOnceMax})`,
    [now],
  )
}
