import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { useEffect, useRef, useState } from 'react'
import { useClient } from 'urql'
import type { AnyVariables } from 'urql'
import { onEnd, pipe, subscribe } from 'wonka'

import type { Problem } from '../graph/problem.ts'
import { problemAt } from '../graph/problem.ts'
import { followStream } from './follow.ts'
import { useLive } from './live-context.ts'

interface Options<D, V> {
  readonly document: TypedDocumentNode<D, V>
  /** Read each time the stream is opened, so that it may carry the last cursor. Null: do not listen. */
  readonly variables: (() => V) | null
  /** A change of it opens another stream. */
  readonly key: string
  readonly onEvent: (data: D) => void
  readonly onRestart: () => void
}

/** Follows a subscription for as long as the component is shown. Returns what keeps it from being live. */
export function useStream<D, V extends AnyVariables>(options: Options<D, V>): Problem | null {
  const client = useClient()
  const live = useLive()
  const [problem, setProblem] = useState<Problem | null>(null)
  const latest = useRef(options)
  useEffect(() => {
    latest.current = options
  })
  const isWanted = options.variables !== null

  useEffect(() => {
    if (!isWanted) return undefined
    return followStream<D>({
      open({ next, end }) {
        const { document, variables } = latest.current
        let lastProblem: Problem | null = null
        const stream = pipe(
          client.subscription<D, V>(document, variables?.() as V),
          onEnd(() => end(lastProblem)),
          subscribe(({ data, error }) => {
            lastProblem = problemAt(error)
            if (data) next(data)
            else if (error) setProblem(lastProblem)
          }),
        )
        return () => stream.unsubscribe()
      },
      onEvent: (data) => latest.current.onEvent(data),
      onRestart: () => latest.current.onRestart(),
      onProblem: setProblem,
      onReconnected: (listener) => live.onReconnected(listener),
      setTimer(fire, delayMs) {
        const id = setTimeout(fire, delayMs)
        return () => clearTimeout(id)
      },
      random: Math.random,
    })
  }, [client, live, isWanted, options.key])

  return problem
}
