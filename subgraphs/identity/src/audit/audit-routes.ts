import type { RestRoute } from '@sluice/kit/rest'

import { createContext, type Context, type Deps } from '../context.ts'
import { organizationOf } from '../rest-request.ts'
import { inputInvalid } from '../text.ts'
import { auditReaderOf, type AuditOwner } from './audit-reader.ts'
import { exportFormats, exportLines } from './export-audit.ts'
import { auditIntegrity } from './integrity.ts'
import { conditionsOf, exportedRecords, type AuditFilter } from './search-audit.ts'

const contentTypes = { csv: 'text/csv; charset=utf-8', jsonl: 'application/jsonl' } as const

/**
 * The REST paths of audits, for scripts and downloads: of an organization, which may be left out by whoever has only one, and
 * of the platform, for staff.
 */
export function auditRoutes(deps: Deps): RestRoute[] {
  return [
    ...routesOf(deps, '/v1/admin/audit', ({ principal }, query) =>
      organizationOf(principal, query, 'audit.read'),
    ),
    ...routesOf(deps, '/v1/admin/platform-audit', () => null),
  ]
}

function routesOf(
  deps: Deps,
  path: string,
  ownerOf: (context: Context, query: URLSearchParams) => AuditOwner,
): RestRoute[] {
  return [
    {
      method: 'GET',
      path: `${path}/integrity`,
      async handle({ caller, query }) {
        const context = createContext(deps, caller)
        const owner = ownerOf(context, query)
        const from = Number(query.get('from') ?? 1)
        if (!Number.isSafeInteger(from)) throw inputInvalid('from is not a number')
        return { status: 200, body: await auditIntegrity(context, owner, from) }
      },
    },
    {
      method: 'GET',
      path: `${path}/export`,
      handle({ caller, query }) {
        const context = createContext(deps, caller)
        return answerExport(context, ownerOf(context, query), query)
      },
    },
  ]
}

function answerExport(context: Context, owner: AuditOwner, query: URLSearchParams) {
  const em = auditReaderOf(context, owner)
  const format = exportFormats.find((one) => one === (query.get('format') ?? 'jsonl'))
  if (!format) throw inputInvalid(`the format is one of ${exportFormats.join(', ')}`)
  const filter = filterOf(query)
  // Thrown here and not from within the stream, when the answer has begun.
  conditionsOf(filter)
  const day = context.now().toISOString().slice(0, 10)
  const name = owner === null ? 'platform-audit' : 'audit'
  return {
    status: 200,
    headers: {
      'content-type': contentTypes[format],
      'content-disposition': `attachment; filename="${name}-${day}.${format}"`,
    },
    body: exportLines(exportedRecords(em, owner, filter), format),
  }
}

function filterOf(query: URLSearchParams): AuditFilter {
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
