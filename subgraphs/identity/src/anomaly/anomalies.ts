import { createHash } from 'node:crypto'

import { forkSystem, type EntityManager, type Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'

import { recordMail } from '../mail/mail.ts'
import { Anomaly, type AnomalyKind, type Severity } from './anomaly.entity.ts'

/** What somebody saw. */
interface Seen {
  readonly kind: AnomalyKind
  /** A network, a credential, a limit: together with kind, user and hour it makes one row. */
  readonly subject: string
  /** Whose organization it concerns. Left out with a user: all of theirs. */
  readonly organizationId?: string | null
  readonly userId?: string | null
  readonly ip?: string
  readonly details?: string
  /** How often; once if left out. */
  readonly count?: number
}

export interface Anomalies {
  /** Takes note and returns at once: whatever becomes of the request, and of its transaction, it is recorded. */
  report(seen: Seen): void
  /** Records what was reported until now. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface AnomaliesOptions {
  readonly orm: Orm
  readonly now: () => Date
  readonly log: Log
  /** Hears of severe ones after they were recorded. */
  readonly onSevere: (anomaly: Anomaly) => void
  readonly wakeMail: () => void
}

interface Weight {
  readonly severity: Severity
  /** So many in an hour are severe. */
  readonly highFrom?: number
}

const weights: Readonly<Record<AnomalyKind, Weight>> = {
  'sign-in-failures': { severity: 'medium', highFrom: 200 },
  'rate-limited': { severity: 'low', highFrom: 2_000 },
  'network-blocked': { severity: 'medium', highFrom: 4 },
  'new-network': { severity: 'low' },
  'impossible-travel': { severity: 'high' },
  'token-new-network': { severity: 'medium' },
  'refresh-reused': { severity: 'high' },
  'recovery-code-used': { severity: 'medium' },
  'signature-failed': { severity: 'medium', highFrom: 100 },
  impersonation: { severity: 'medium' },
}

const flushEveryMs = 1_000
/** Beyond it what is new is dropped and counted: a flood with many faces must not fill the memory. */
const waitingMax = 2_000
const subjectCharactersMax = 200
const detailsCharactersMax = 500

interface Row extends Seen {
  readonly organizationId: string | null
  readonly count: number
  readonly at: Date
}

/** Gathers what is seen and writes it about once a second: a flood costs one row and one statement per kind and subject. */
export function openAnomalies(options: AnomaliesOptions): Anomalies {
  const { orm, now, log, onSevere, wakeMail } = options
  let waiting = new Map<string, Seen & { count: number; at: Date }>()
  let dropped = 0
  let flushing = Promise.resolve()
  const timer = setInterval(() => void flush(), flushEveryMs)
  timer.unref()

  async function write(): Promise<void> {
    if (waiting.size === 0) return
    const batch = waiting
    waiting = new Map()
    if (dropped > 0) log.warn({ dropped }, 'too many different anomalies at once')
    dropped = 0
    const em = forkSystem(orm)
    const severe: Anomaly[] = []
    for (const seen of batch.values()) {
      for (const organizationId of await organizationsOf(em, seen)) {
        const anomaly = await record(em, { ...seen, organizationId })
        if (anomaly.severity !== 'high') continue
        severe.push(anomaly)
        if (await mailOwners(em, anomaly, now())) wakeMail()
      }
    }
    for (const anomaly of severe) onSevere(anomaly)
  }

  function flush(): Promise<void> {
    // What could not be written is lost: watching must not keep what is watched from working.
    flushing = flushing
      .then(write)
      .catch((error: unknown) => log.error({ err: error }, 'anomalies could not be recorded'))
    return flushing
  }

  return {
    report(seen) {
      const key = JSON.stringify([seen.kind, seen.organizationId, seen.userId, seen.subject])
      const known = waiting.get(key)
      if (!known && waiting.size >= waitingMax) {
        dropped += 1
        return
      }
      const count = (known?.count ?? 0) + (seen.count ?? 1)
      waiting.set(key, { ...seen, count, at: now() })
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

async function organizationsOf(
  em: EntityManager,
  { organizationId, userId }: Seen,
): Promise<(string | null)[]> {
  if (organizationId !== undefined) return [organizationId]
  if (!userId) return [null]
  const rows = await em.execute<{ id: string }[]>(
    `select organization_id as id from "identity"."member" where user_id = ?`,
    [userId],
  )
  return rows.length > 0 ? rows.map(({ id }) => id) : [null]
}

async function record(em: EntityManager, row: Row): Promise<Anomaly> {
  const { kind, organizationId, userId = null, ip, details, count, at } = row
  const subject = row.subject.slice(0, subjectCharactersMax)
  const hour = at.toISOString().slice(0, 13)
  const key = createHash('sha256')
    .update(JSON.stringify([kind, organizationId, userId, subject, hour]))
    .digest('hex')
  const { severity, highFrom = 2 ** 31 - 1 } = weights[kind]
  const [written] = await em.execute<{ id: string }[]>(
    `insert into "identity"."security_anomaly_events" as known
       (id, key, kind, severity, organization_id, user_id, subject, details, ip, count, first_at, last_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (key) do update set count = known.count + excluded.count, last_at = excluded.last_at,
       ip = excluded.ip, details = excluded.details,
       severity = case when known.count + excluded.count >= ? then 'high' else known.severity end
     returning id`,
    [
      crypto.randomUUID(),
      key,
      kind,
      count >= highFrom ? 'high' : severity,
      organizationId,
      userId,
      subject,
      details?.slice(0, detailsCharactersMax) ?? null,
      ip || null,
      count,
      at,
      at,
      highFrom,
    ],
  )
  return em.findOneOrFail(Anomaly, { id: written?.id ?? '' }, { refresh: true })
}

/** Tells the owners of a severe anomaly, once per row. Returns whether there was somebody to tell. */
async function mailOwners(system: EntityManager, { id }: Anomaly, at: Date): Promise<boolean> {
  return system.transactional(async (em) => {
    // The row decides: of two replicas that count it up at once, one tells.
    const marked = await em.execute<{ organization_id: string | null; ip: string | null }[]>(
      `update "identity"."security_anomaly_events" set mailed_at = ? where id = ? and mailed_at is null
       returning organization_id, ip`,
      [at, id],
    )
    const [row] = marked
    if (!row?.organization_id) return false
    const owners = await em.execute<{ id: string; email: string }[]>(
      `select u.id, u.email from "identity"."member" m join "identity"."user" u on u.id = m.user_id
       where m.organization_id = ? and m.role = 'OWNER'`,
      [row.organization_id],
    )
    for (const owner of owners) {
      const { id: userId, email: address } = owner
      recordMail(em, { kind: 'security-anomaly', address, userId, ip: row.ip ?? '', at })
    }
    await em.flush()
    return owners.length > 0
  })
}

const keptMs = 90 * 24 * 60 * 60_000
const rowsMax = 200_000
const purgedAtOnceMax = 5_000

/** Deletes old anomalies, and the oldest of too many. Returns how many; several replicas may do it at once. */
export async function purgeAnomalies(em: EntityManager, now: Date): Promise<number> {
  const rows = await em.execute<unknown[]>(
    `delete from "identity"."security_anomaly_events" where id in (
       select id from "identity"."security_anomaly_events"
       where last_at < ? or last_at <= (
         select last_at from "identity"."security_anomaly_events" order by last_at desc offset ${rowsMax} limit 1)
       limit ${purgedAtOnceMax} for update skip locked) returning id`,
    [new Date(now.getTime() - keptMs)],
  )
  return rows.length
}
