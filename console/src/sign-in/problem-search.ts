import { isErrorCode } from '@sluice/schema/errors'

import { codeOf, type Problem } from '../graph/problem.ts'

/** `?problem=SLUICE_…`: the code of what went wrong on the way back from another site. The words are our own. */
export function problemSearchOf(raw: Record<string, unknown>): { problem?: string | undefined } {
  return { problem: isErrorCode(raw['problem']) ? raw['problem'] : undefined }
}

export function problemOfSearch(code: string | undefined): Problem | null {
  return isErrorCode(code) ? codeOf(code, {}) : null
}
