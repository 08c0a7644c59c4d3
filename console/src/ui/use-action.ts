import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { useCallback, useContext, useState } from 'react'
import { useClient } from 'urql'
import type { AnyVariables } from 'urql'

import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { ProofContext } from './proof-context.ts'

/** How an action ended: with its data, or with the problem to show. */
export type Outcome<D> =
  | { readonly data: D; readonly problem: null }
  | { readonly data: null; readonly problem: Problem }

/**
 * Runs one mutation. The problem stays until the next run or `reset`. A sensitive one may ask for the password first, and is
 * then repeated.
 */
export function useAction<D, V extends AnyVariables>(document: TypedDocumentNode<D, V>) {
  const client = useClient()
  const prove = useContext(ProofContext)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const run = useCallback(
    async (variables: V): Promise<Outcome<D>> => {
      setBusy(true)
      setProblem(null)
      const send = () => client.mutation<D, V>(document, variables).toPromise()
      let { data, error } = await send()
      const needsProof = problemAt(error)?.code === 'SLUICE_REAUTHENTICATION_NEEDED'
      if (needsProof && (await prove())) ({ data, error } = await send())
      setBusy(false)
      if (data && !error) return { data, problem: null }
      const found = problemAt(error) ?? unreachable('the answer was empty')
      setProblem(found)
      return { data: null, problem: found }
    },
    [client, document, prove],
  )
  const reset = useCallback(() => setProblem(null), [])
  return { run, isBusy, problem, reset }
}
