import type { Problem } from '../graph/problem.ts'
import { unreachable } from '../graph/problem.ts'
import type { AuditFilter } from './filter.ts'
import { variablesOf } from './filter.ts'

export type ExportFormat = 'csv' | 'jsonl'

interface Export {
  readonly organizationId: string
  readonly format: ExportFormat
  readonly filter: AuditFilter
  /** The sign-in: a link of its own could not carry it. */
  readonly token: string | null
}

/** Downloads the audit as a file; answers the problem that kept it from arriving, or null. */
export async function downloadAudit(asked: Export): Promise<Problem | null> {
  try {
    const response = await fetch(addressOf(asked), {
      headers: { authorization: `Bearer ${asked.token ?? ''}` },
    })
    if (!response.ok) return await problemOf(response)
    saveAs(await response.blob(), fileName(asked.format))
    return null
  } catch (error) {
    return unreachable(error)
  }
}

/** Offers a text as a file. */
export function saveText(text: string, name: string): void {
  saveAs(new Blob([text], { type: 'text/plain' }), name)
}

function addressOf({ organizationId, format, filter }: Export): string {
  const query = new URLSearchParams({ organizationId, format })
  for (const [name, value] of Object.entries(variablesOf(filter))) {
    if (value !== null) query.set(name, value)
  }
  return `/v1/admin/audit/export?${query}`
}

function fileName(format: ExportFormat): string {
  return `audit-${new Date().toISOString().slice(0, 10)}.${format}`
}

function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  URL.revokeObjectURL(url)
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>
  const text = (key: string) => (typeof body[key] === 'string' ? body[key] : '')
  if (text('code') === '') return unreachable(`the answer was ${response.status}`)
  const code = text('code')
  const docsUrl = `/errors/${code}`
  return { code, title: text('title'), cause: text('detail'), fix: text('fix'), docsUrl }
}
