import { setTimeout as sleep } from 'node:timers/promises'

import { forkSystem, type Orm } from '@sluice/kit/database'
import type { Guard } from '@sluice/kit/guarded-fetch'
import type { Log } from '@sluice/kit/log'
import type { Sealer } from '@sluice/kit/sealer'
import { SluiceError } from '@sluice/schema/errors'

import { linkedRows } from './audit-rows.ts'
import { AuditStream } from './audit-stream.entity.ts'
import { ownerOf, secretOf } from './audit-stream.ts'
import { NotTakenError, sendEntries } from './send-entries.ts'

const recordsPerSendingMax = 200
const streamsAtOnce = 4
/** Whoever took a stream has this long, then it is anybody's again: longer than a sending may take. */
const leaseMs = 60_000
const idleMs = 5_000
const retryMsMin = 5_000
const retryMsMax = 3_600_000

export interface StreamDeps {
  readonly orm: Orm
  readonly sealer: Sealer
  readonly guard: Guard
  readonly now: () => Date
  readonly log: Log
}

/** Sends what is due, one batch of each stream; returns how many streams were looked at. Replicas share the work. */
export async function deliverStreams(deps: StreamDeps, signal: AbortSignal): Promise<number> {
  const now = deps.now()
  const due = await forkSystem(deps.orm).execute<{ id: string }[]>(
    `update identity.audit_stream set next_at = ?
     where id in (
       select id from identity.audit_stream where is_on and next_at <= ?
       order by next_at limit ${streamsAtOnce} for update skip locked
     ) returning id`,
    [new Date(now.getTime() + leaseMs), now],
  )
  await Promise.all(due.map(({ id }) => deliver(deps, id, signal)))
  return due.length
}

async function deliver(deps: StreamDeps, id: string, signal: AbortSignal): Promise<void> {
  const { orm, sealer, guard, now, log } = deps
  const em = forkSystem(orm)
  const stream = await em.findOne(AuditStream, { id, isOn: true })
  if (!stream) return
  const before = Number(stream.delivered)
  const rows = await linkedRows(em, stream.organizationId, before + 1, recordsPerSendingMax)
  const records = rows.flatMap(({ row, hash }) => {
    return row ? [{ ...row, at: new Date(row.at), hash }] : []
  })
  const isFull = rows.length === recordsPerSendingMax
  const nextAt = new Date(now().getTime() + (isFull ? 0 : idleMs))
  try {
    if (records.length > 0) {
      await sendEntries({
        stream,
        secret: secretOf(sealer, stream),
        records,
        now: now(),
        guard,
        signal,
      })
    }
    await settle(orm, stream, {
      delivered: rows.at(-1)?.sequence ?? before,
      failures: 0,
      lastError: null,
      nextAt,
      deliveredAt: records.length > 0 ? now() : (stream.deliveredAt ?? null),
    })
  } catch (error) {
    // A process that ends has learned nothing; the lease brings the stream back.
    if (signal.aborted) return
    const failures = stream.failures + 1
    const waitMs = Math.min(retryMsMin * 2 ** Math.min(stream.failures, 20), retryMsMax)
    await settle(orm, stream, {
      delivered: before,
      failures,
      lastError: reasonOf(error),
      nextAt: new Date(now().getTime() + waitMs * (0.75 + Math.random() / 2)),
      deliveredAt: stream.deliveredAt ?? null,
    })
    log.warn({ err: error, auditStreamId: id, failures }, 'the audit could not be sent')
  }
}

/** Notes how it went, unless somebody else has gone on from there meanwhile. */
async function settle(
  orm: Orm,
  { id, delivered: before }: AuditStream,
  outcome: {
    delivered: number
    failures: number
    lastError: string | null
    nextAt: Date
    deliveredAt: Date | null
  },
): Promise<void> {
  const delivered = BigInt(outcome.delivered)
  await forkSystem(orm).nativeUpdate(
    AuditStream,
    { id, delivered: before },
    { ...outcome, delivered },
  )
}

/** Texts of our own: what a library writes could hold addresses and credentials. */
function reasonOf(error: unknown): string {
  const isOurs = error instanceof SluiceError || error instanceof NotTakenError
  return isOurs ? error.message.slice(0, 500) : 'it could not be sent'
}

const turnMs = 1_000

/** Sends what is due for as long as it is open. */
export function openDelivery(deps: StreamDeps): { close(): Promise<void> } {
  const closing = new AbortController()

  async function run(): Promise<void> {
    let isFailing = false
    while (!closing.signal.aborted) {
      let looked = 0
      try {
        looked = await deliverStreams(deps, closing.signal)
        isFailing = false
      } catch (error) {
        // PostgreSQL is away: the streams wait.
        if (!isFailing) deps.log.warn({ err: error }, 'streams of the audit cannot be looked at')
        isFailing = true
      }
      if (looked < streamsAtOnce) await pause(closing.signal, turnMs)
    }
  }

  const running = run()
  return {
    async close() {
      closing.abort()
      await running
    },
  }
}

async function pause(signal: AbortSignal, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined) // Closing ends the wait.
}

/** Seals anew what an older key has sealed, so that the older key can be given up; returns how many it could not open. */
export async function resealStreams(orm: Orm, sealer: Sealer): Promise<number> {
  const em = forkSystem(orm)
  const old = await em.find(AuditStream, { sealingKeyId: { $ne: sealer.currentKeyId } })
  let failed = 0
  for (const stream of old) {
    try {
      const again = sealer.seal(secretOf(sealer, stream), ownerOf(stream.organizationId, stream.id))
      Object.assign(stream, { sealedSecret: again.sealed, sealingKeyId: again.sealingKeyId })
    } catch {
      // Its key was taken from the configuration too early. Given back, the next start finds the row again.
      failed += 1
    }
  }
  await em.flush()
  return failed
}
