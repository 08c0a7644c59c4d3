import type { EntityManager } from '@sluice/kit/database'
import type { AuditRow } from '@sluice/schema/audit-chain'

/** An entry in its chain. `row` is null when there is a link but no entry. */
export interface LinkedRow {
  readonly sequence: number
  readonly entryId: string
  readonly hash: string
  readonly row: AuditRow | null
}

/** The columns of `AuditRow` but `sequence`, of `entry`. Times are made here: a driver would round or shift them. */
export const rowColumns = `entry.id, entry.organization_id as "organizationId", entry.action,
  entry.actor_kind as "actorKind", entry.actor_id as "actorId", entry.actor_name as "actorName",
  entry.target_type as "targetType", entry.target_id as "targetId", entry.details, entry.ip,
  to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at`

export type RowColumns = Omit<AuditRow, 'sequence'>

/** What a chain holds from `sequence` on, in order. */
export async function linkedRows(
  em: EntityManager,
  chain: string,
  from: number,
  rowsMax: number,
): Promise<LinkedRow[]> {
  const rows = await em.execute<
    ({ sequence: string; hash: string; entryId: string } & (RowColumns | { id: null }))[]
  >(
    `select link.sequence, link.hash, link.entry_id as "entryId", ${rowColumns}
     from identity.audit_link as link left join identity.audit_entry as entry on entry.id = link.entry_id
     where link.organization_id = ? and link.sequence >= ? order by link.sequence limit ?`,
    [chain, from, rowsMax],
  )
  return rows.map(({ sequence: text, hash, entryId, ...columns }) => {
    const sequence = Number(text)
    return { sequence, hash, entryId, row: columns.id === null ? null : { ...columns, sequence } }
  })
}
