import type { Principal } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'

import type { Budget, Budgets } from './budget.ts'

/** Whom a door of the graph is for, and what they may spend there. */
export interface Admission {
  /** Throws for a credential that may not come in here. */
  assertAdmitted(principal: Principal): void
  /** Null where nothing is counted. */
  budgetOf(principal: Principal): Budget | null
}

/** `/graphql`: for everybody, the anonymous too, but no partner: what is not in the contract is not promised to them. */
export const wholeGraph: Admission = {
  assertAdmitted({ kind }) {
    if (kind === 'api-key') throw new SluiceError('SLUICE_API_KEY_NOT_HERE')
  },
  budgetOf: () => null,
}

/** `/public/graphql`: for API keys alone, each with a budget. */
export function publicGraph(budgets: Budgets): Admission {
  return {
    assertAdmitted({ kind }) {
      if (kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
      if (kind !== 'api-key') throw new SluiceError('SLUICE_API_KEY_NEEDED')
    },
    budgetOf: (principal) => budgets.of(principal),
  }
}
