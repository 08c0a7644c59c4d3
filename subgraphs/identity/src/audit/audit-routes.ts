import type { RestRequest, RestRoute } from '@sluice/kit/rest'

import { createContext, type Context, type Deps } from '../context.ts'
import { organizationOf } from '../rest-request.ts'
import { inputInvalid } from '../text.ts'
import { exportFormats, exportLines } from './export-audit.ts'
import { auditIntegrity } from './integrity.ts'
import { conditionsOf, exportedRecords, type AuditFilter } from './search-audit.ts'

const contentTypes = { csv: 'text/csv; charset=utf-8', jsonl: 'application/jsonl' } as const

/** The REST paths of the audit, for scripts and downloads. `organizationId` may be left out by whoever has only one. */
export function auditRoutes(deps: Deps): RestRoute[] {
  return [
    {
      method: 'GET',
      path: '/v1/admin/audit/integrity',
      async handle({ caller, query }) {
        const context = createContext(deps, caller)
        const organizationId = organizationOf(context.principal, query, 'audit.read')
        const from = Number(query.get('from') ?? 1)
        if (!Number.isSafeInteger(from)) throw inputInvalid('from is not a number')
        return { status: 200, body: await auditIntegrity(context, organizationId, from) }
      },
    },
    {
      method: 'GET',
      path: '/v1/admin/audit/export',
      handle: ({ caller, query }) => answerExport(createContext(deps, caller), query),
    },
  ]
}

function answerExport(context: Context, query: RestRequest['query']) {
  const organizationId = organizationOf(context.principal, query, 'audit.read')
  const format = exportFormats.find((one) => one === (query.get('format') ?? 'jsonl'))
  if (!format) throw inputInvalid(`the format is one of ${exportFormats.join(', ')}`)
  const filter = filterOf(query)
  // Thrown here and not from within the stream, when the answer has begun.
  conditionsOf(filter)
  const day = context.now().toISOString().slice(0, 10)
  return {
    status: 200,
    headers: {
      'content-type': contentTypes[format],
      'content-disposition': `attachment; filename="audit-${day}.${format}"`,
    },
    body: exportLines(exportedRecords(context.em, organizationId, filter), format),
  }
}

function filterOf(query: RestRequest['query']): AuditFilter {
  const time = (name: string) => {
    const text = query.get(name)
    if (text === null) return null
    const at = new Date(text)
    if (Number.isNaN(at.getTime())) throw inputInvalid(`${name} is not a time as ISO 8601 has it`)
    return at
  }
  return {
    action: query.get('action'),
    actor: query.get('actor'),
    target: query.get('target'),
    text: query.get('text'),
    from: time('from'),
    to: time('to'),
  }
}
