import type { EntityManager } from '@sluice/kit/database'

const dayMs = 86_400_000

/** The day (UTC) of an instant, as `YYYY-MM-DD`. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10)
}

export function daysAfter(day: string, days: number): string {
  return dayOf(new Date(Date.parse(day) + days * dayMs))
}

/**
 * Makes the partitions of these days where they are missing. To be called under `lockStorage`: two that make the same
 * partition would both fail.
 */
export async function createPartitions(em: EntityManager, days: readonly string[]): Promise<void> {
  const existing = new Set(await listPartitions(em))
  for (const day of new Set(days)) {
    if (existing.has(day)) continue
    const table = tableOf(day)
    // Attached rather than made in place: that waits for nobody who reads the log.
    await em.execute(
      `create table ${table} (like tunnels.captured_request including defaults including indexes)`,
    )
    await em.execute(
      `alter table tunnels.captured_request attach partition ${table}
       for values from ('${day} 00:00:00+00') to ('${daysAfter(day, 1)} 00:00:00+00')`,
    )
  }
}

/** The days that have a partition, oldest first. */
export async function listPartitions(em: EntityManager): Promise<string[]> {
  const rows = await em.execute<{ name: string }[]>(
    `select child.relname as name from pg_inherits
     join pg_class as child on child.oid = pg_inherits.inhrelid
     where pg_inherits.inhparent = 'tunnels.captured_request'::regclass order by child.relname`,
  )
  return rows.flatMap(({ name }) => {
    const [, year, month, day] = /_p(\d{4})(\d\d)(\d\d)$/.exec(name) ?? []
    return year && month && day ? [`${year}-${month}-${day}`] : []
  })
}

export async function dropPartition(em: EntityManager, day: string): Promise<void> {
  await em.execute(`drop table if exists ${tableOf(day)}`)
}

/**
 * Until the transaction ends, nobody else stores. So sequences become visible in their order, and a reader that has
 * seen one never finds a lower one later.
 */
export async function lockStorage(em: EntityManager): Promise<void> {
  await em.execute(`select pg_advisory_xact_lock(hashtextextended('sluice:requests', 0))`)
}

const dayForm = /^\d{4}-\d\d-\d\d$/

function tableOf(day: string): string {
  if (!dayForm.test(day)) throw new TypeError(`not a day: ${day}`)
  return `tunnels.captured_request_p${day.replaceAll('-', '')}`
}
