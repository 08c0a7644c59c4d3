import { SluiceError } from '@sluice/schema/errors'
import type { CombinedError } from '@urql/core'

import type { FieldPath, Problem } from './problem.ts'
import { ofCatalogue, problemAt } from './problem.ts'

/** The four states of anything a page shows, in the order in which they are asked for. */
export type Loaded<T> =
  | { readonly kind: 'failed'; readonly problem: Problem }
  | { readonly kind: 'loading' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'full'; readonly value: T }

interface Answer<D> {
  readonly data: D | undefined
  readonly error: CombinedError | undefined
  readonly fetching: boolean
}

interface Part<D, T> {
  /** Where the part sits in the answer: an error there, inside it or above it fails this part alone. */
  readonly path: FieldPath
  readonly pick: (data: D) => T | null | undefined
  readonly isEmpty?: (value: T) => boolean
}

/** What one panel shows of an answer whose other parts may have failed. */
export function loadedOf<D, T>(answer: Answer<D>, { path, pick, isEmpty }: Part<D, T>): Loaded<T> {
  const { data, error, fetching } = answer
  const value = data ? pick(data) : undefined
  const missing = value === null || value === undefined

  // An error inside the part leaves the rest of it readable: only what is missing counts as failed.
  const problem = problemAt(error, path) ?? (missing ? problemOfRoot(data, error, path) : null)
  if (problem && missing) return { kind: 'failed', problem }
  if (missing && (fetching || !data)) return { kind: 'loading' }
  if (missing) return { kind: 'failed', problem: notFound(path) }
  return isEmpty?.(value) ? { kind: 'empty' } : { kind: 'full', value }
}

/** A failed field that may not be null takes all that stands around it along, the neighbour that is asked for too. */
function problemOfRoot(data: unknown, error: CombinedError | undefined, path: FieldPath) {
  const [root = ''] = path.split('.', 1)
  const isGone = (data as Record<string, unknown> | undefined)?.[root] === null
  return isGone ? problemAt(error, root) : null
}

/** The first problem among the parts of an answer that is shown as one. */
export function problemOfParts(
  error: CombinedError | undefined,
  paths: readonly FieldPath[],
): Problem | null {
  for (const path of paths) {
    const problem = problemAt(error, path)
    if (problem) return problem
  }
  return null
}

/** Null without an error: the id is of nobody, or of another organization. */
function notFound(path: FieldPath): Problem {
  const code = path.startsWith('tunnel')
    ? 'SLUICE_TUNNEL_NOT_FOUND'
    : path.startsWith('capturedRequest')
      ? 'SLUICE_CAPTURED_REQUEST_NOT_FOUND'
      : 'SLUICE_ORGANIZATION_NOT_FOUND'
  return ofCatalogue(new SluiceError(code))
}
