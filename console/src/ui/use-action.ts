import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { useCallback, useState } from 'react'
import { useClient } from 'urql'
import type { AnyVariables } from 'urql'

import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'

/** How an action ended: with its data, or with the problem to show. */
export type Outcome<D> =
  | { readonly data: D; readonly problem: null }
  | { readonly data: null; readonly problem: Problem }

/** Runs one mutation. The problem stays until the next run or `reset`. */
export function useAction<D, V extends AnyVariables>(document: TypedDocumentNode<D, V>) {
  const client = useClient()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const run = useCallback(
    async (variables: V): Promise<Outcome<D>> => {
      setBusy(true)
      setProblem(null)
      const { data, error } = await client.mutation<D, V>(document, variables).toPromise()
      setBusy(false)
      if (data && !error) return { data, problem: null }
      const found = problemAt(error) ?? unreachable('the answer was empty')
      setProblem(found)
      return { data: null, problem: found }
    },
    [client, document],
  )
  const reset = useCallback(() => setProblem(null), [])
  return { run, isBusy, problem, reset }
}
