import { forkSystem, type EntityManager, type Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import { auditHash, noPreviousHash } from '@sluice/schema/audit-chain'

import { chainOf } from './audit-chain.entity.ts'
import { rowColumns, type RowColumns } from './audit-rows.ts'

const batchRowsMax = 500
const pollMs = 1_000
const pollFailedMs = 5_000

interface Link {
  organization_id: string
  sequence: number
  entry_id: string
  hash: string
}

/**
 * Puts entries that are committed into their chains, in the order in which they were written; returns how many. One
 * process at a time does so: a chain has no gap and no fork, and nobody who signs in waits for a chain.
 */
export async function sealEntries(orm: Orm): Promise<number> {
  return forkSystem(orm).transactional(async (em) => {
    const [turn] = await em.execute<{ mine: boolean }[]>(
      `select pg_try_advisory_xact_lock(hashtextextended('sluice:audit:seal', 0)) as mine`,
    )
    if (!turn?.mine) return 0
    const entries = await em.execute<RowColumns[]>(
      `select ${rowColumns} from identity.audit_unsealed as unsealed
       join identity.audit_entry as entry on entry.id = unsealed.entry_id
       order by unsealed.position limit ${batchRowsMax}`,
    )
    if (entries.length === 0) return 0
    const links = link(entries, await headsOf(em, entries))
    await em.execute(
      `insert into identity.audit_link (organization_id, sequence, entry_id, hash)
       select * from jsonb_to_recordset(?::jsonb)
         as one(organization_id uuid, sequence bigint, entry_id uuid, hash text)`,
      [JSON.stringify(links)],
    )
    await em.execute(
      `delete from identity.audit_unsealed
       where entry_id in (select jsonb_array_elements_text(?::jsonb)::uuid)`,
      [JSON.stringify(entries.map(({ id }) => id))],
    )
    return links.length
  })
}

type Heads = Map<string, { sequence: number; hash: string }>

async function headsOf(em: EntityManager, entries: readonly RowColumns[]): Promise<Heads> {
  const chains = new Set(entries.map(({ organizationId }) => chainOf(organizationId)))
  const heads = await em.execute<{ organization_id: string; sequence: string; hash: string }[]>(
    `select head.* from jsonb_array_elements_text(?::jsonb) as chain(id)
     cross join lateral (
       select organization_id, sequence, hash from identity.audit_link
       where organization_id = chain.id::uuid order by sequence desc limit 1
     ) as head`,
    [JSON.stringify([...chains])],
  )
  return new Map(
    heads.map(({ organization_id: chain, sequence, hash }) => [
      chain,
      { sequence: Number(sequence), hash },
    ]),
  )
}

function link(entries: readonly RowColumns[], heads: Heads): Link[] {
  return entries.map((entry) => {
    const chain = chainOf(entry.organizationId)
    const head = heads.get(chain) ?? { sequence: 0, hash: noPreviousHash }
    const sequence = head.sequence + 1
    const hash = auditHash({ ...entry, sequence }, head.hash)
    heads.set(chain, { sequence, hash })
    return { organization_id: chain, sequence, entry_id: entry.id, hash }
  })
}

/** Seals what is written, within about a second, for as long as it is open. */
export function openSealing(options: { orm: Orm; log: Log }): { close(): Promise<void> } {
  const { orm, log } = options
  let closed = false
  let failing = false
  let wake: () => void = () => undefined

  async function sealAll(): Promise<void> {
    const [waiting] = await forkSystem(orm).execute<unknown[]>(
      'select 1 from identity.audit_unsealed limit 1',
    )
    if (waiting === undefined) return
    while (!closed && (await sealEntries(orm)) === batchRowsMax);
  }

  async function run(): Promise<void> {
    while (!closed) {
      try {
        await sealAll()
        if (failing) log.info('the audit is sealed again')
        failing = false
      } catch (error) {
        // PostgreSQL is away: the entries wait.
        if (!failing) log.warn({ err: error }, 'the audit cannot be sealed')
        failing = true
      }
      if (closed) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, failing ? pollFailedMs : pollMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  const running = run()
  return {
    async close() {
      closed = true
      wake()
      await running
    },
  }
}
