import type { AuditRow } from '@sluice/schema/audit-chain'

import type { AuditRecord } from './search-audit.ts'

export const exportFormats = ['csv', 'jsonl'] as const
export type ExportFormat = (typeof exportFormats)[number]

const columns = [
  'sequence',
  'at',
  'action',
  'actorKind',
  'actorId',
  'actorName',
  'targetType',
  'targetId',
  'details',
  'ip',
  'id',
  'organizationId',
  'hash',
] as const satisfies readonly (keyof AuditRow | 'hash')[]

/** Records as lines of a file, a thousand at a time. */
export async function* exportLines(
  records: AsyncIterable<AuditRecord>,
  format: ExportFormat,
): AsyncGenerator<string> {
  let text = format === 'csv' ? `${columns.join(',')}\r\n` : ''
  let lines = 0
  for await (const record of records) {
    text += format === 'csv' ? `${csvOf(record)}\r\n` : `${jsonOf(record)}\n`
    lines += 1
    if (lines % 1_000 > 0) continue
    yield text
    text = ''
  }
  yield text
}

/** One record as JSON: what is hashed (`schema/audit-chain.ts`), and its hash. */
export function jsonOf(record: AuditRecord): string {
  const values = columns.map((name) => [name, plain(record, name)])
  return JSON.stringify(Object.fromEntries(values))
}

/** One record as RFC 4180 has it. A text that a spreadsheet would take for a formula gets an apostrophe. */
function csvOf(record: AuditRecord): string {
  return columns
    .map((name) => {
      const value = plain(record, name)
      const text = value === null ? '' : String(value)
      const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
      return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
    })
    .join(',')
}

function plain(record: AuditRecord, name: (typeof columns)[number]): string | number | null {
  return name === 'at' ? record.at.toISOString() : record[name]
}
