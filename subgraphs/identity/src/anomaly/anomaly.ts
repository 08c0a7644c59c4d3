import { forkSystem } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'

import type { Context } from '../context.ts'
import { staffOf } from '../staff/staff.ts'
import { Anomaly, type AnomalyKind, type Severity } from './anomaly.entity.ts'

export interface AnomalyArgs {
  first?: number | null | undefined
  after?: string | null | undefined
  kind?: AnomalyKind | null | undefined
  severity?: Severity | null | undefined
}

const orderBy = { lastAt: 'desc', id: 'desc' } as const

/** What was seen in one organization, the latest first. */
export async function anomalyPage(
  { em, principal }: Context,
  organizationId: string,
  args: AnomalyArgs,
): Promise<Page<Anomaly>> {
  assertMay(principal, organizationId, 'security.read')
  return pageOf(args, keysetOf, (rows, after) =>
    em.find(
      Anomaly,
      { organizationId, ...filterOf(args), ...afterKeyset('lastAt', after) },
      { orderBy, limit: rows },
    ),
  )
}

/** What was seen anywhere, the latest first. For staff. */
export async function allAnomalyPage(context: Context, args: AnomalyArgs): Promise<Page<Anomaly>> {
  staffOf(context)
  return pageOf(args, keysetOf, (rows, after) =>
    forkSystem(context.orm).find(
      Anomaly,
      { ...filterOf(args), ...afterKeyset('lastAt', after) },
      { orderBy, limit: rows },
    ),
  )
}

function filterOf({ kind, severity }: AnomalyArgs) {
  return { ...(kind ? { kind } : {}), ...(severity ? { severity } : {}) }
}

function keysetOf({ lastAt, id }: Anomaly) {
  return { at: lastAt, id }
}
