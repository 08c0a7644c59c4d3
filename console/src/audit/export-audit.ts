import type { Problem } from '../graph/problem.ts'
import { download, today } from '../ui/download.ts'
import type { AuditFilter } from './filter.ts'
import { variablesOf } from './filter.ts'

export type ExportFormat = 'csv' | 'jsonl'

interface Export {
  /** Null for the platform's own. */
  readonly organizationId: string | null
  readonly format: ExportFormat
  readonly filter: AuditFilter
  readonly token: string | null
}

/** Downloads the audit as a file; answers the problem that kept it from arriving, or null. */
export function downloadAudit({
  organizationId,
  format,
  filter,
  token,
}: Export): Promise<Problem | null> {
  const whose = organizationId === null ? 'platform-audit' : 'audit'
  const query = new URLSearchParams({ format, ...(organizationId ? { organizationId } : {}) })
  for (const [name, value] of Object.entries(variablesOf(filter))) {
    if (value !== null) query.set(name, value)
  }
  const path = organizationId ? '/v1/admin/audit/export' : '/v1/admin/platform-audit/export'
  return download(`${path}?${query}`, { name: `${whose}-${today()}.${format}`, token })
}
