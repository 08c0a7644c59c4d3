import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

import type { GraphError } from './world.ts'

interface LivePayload {
  // oxlint-disable-next-line typescript/no-explicit-any -- The shape is the subscription's.
  data?: any
  errors?: GraphError[]
}

/** One live subscription on a socket of its own. */
export interface Live {
  /** Everything that has come. */
  readonly payloads: LivePayload[]
  /** How it ended: completed, refused with errors, or by this close code. */
  readonly ended: Promise<{ complete: true } | { errors: GraphError[] } | { closed: number }>
  readonly isOver: boolean
  /** How often the socket was opened. */
  readonly connections: number
  /** The payload at this place, once it has come. */
  payload(index: number): Promise<LivePayload>
  close(): void
}

export interface LiveClients {
  follow(
    query: string,
    variables: Record<string, unknown>,
    token?: string,
    /** As the console's client: it comes again whenever the protocol lets it. */
    retry?: boolean,
  ): Live
}

/** graphql-ws clients of the library that console and CLI use. */
export function openLiveClients(url: string): LiveClients & Disposable {
  const clients = new Set<{ dispose(): void | Promise<void> }>()
  return {
    follow(query, variables, token, retry = false) {
      const payloads: LivePayload[] = []
      const waiting = new Set<() => void>()
      let connections = 0
      let isOver = false
      const client = createClient({
        url,
        webSocketImpl: WebSocket,
        retryAttempts: retry ? Number.POSITIVE_INFINITY : 0,
        retryWait: () => Promise.resolve(),
        shouldRetry: () => true,
        connectionParams: token === undefined ? {} : { authorization: `Bearer ${token}` },
        on: { connected: () => void (connections += 1) },
      })
      clients.add(client)
      const ended = new Promise<Awaited<Live['ended']>>((resolve) => {
        const end = (how: Awaited<Live['ended']>) => {
          isOver = true
          resolve(how)
          for (const wake of waiting) wake()
        }
        client.subscribe(
          { query, variables },
          {
            next: (payload) => {
              payloads.push(payload as LivePayload)
              for (const wake of waiting) wake()
            },
            complete: () => end({ complete: true }),
            error: (error) =>
              end(
                Array.isArray(error)
                  ? { errors: error as GraphError[] }
                  : { closed: (error as { code?: number }).code ?? 0 },
              ),
          },
        )
      })
      return {
        payloads,
        ended,
        get isOver() {
          return isOver
        },
        get connections() {
          return connections
        },
        async payload(index) {
          for (;;) {
            const payload = payloads[index]
            if (payload) return payload
            if (isOver) throw new TypeError(`ended before: ${JSON.stringify(await ended)}`)
            await new Promise<void>((resolve) => {
              waiting.add(resolve)
            })
          }
        },
        close: () => void client.dispose(),
      }
    },
    [Symbol.dispose]() {
      for (const client of clients) void client.dispose()
    },
  }
}
