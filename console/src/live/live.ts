import { createClient } from 'graphql-ws'
import type { Client } from 'graphql-ws'

import type { ConnectionEvent, ConnectionState } from './connection.ts'
import { nextConnection } from './connection.ts'

interface Options {
  readonly url: string
  readonly token: () => Promise<string | null>
}

const keepAliveMs = 10_000
/** A ping without its pong in this time means that the connection is dead, whatever the socket says. */
const pongWithinMs = 5_000
const retryFirstMs = 500
const retryMaxMs = 15_000
const tickMs = 1_000
/** The connection outlives a change of page by this much. */
const lazyCloseMs = 3_000

export type Live = ReturnType<typeof createLive>

/** The one WebSocket of the console, opened while somebody listens and kept up for ever. */
export function createLive({ url, token }: Options) {
  const listeners = new Set<() => void>()
  const reconnected = new Set<() => void>()
  let state: ConnectionState = { kind: 'idle' }
  let pongTimer: ReturnType<typeof setTimeout> | undefined
  let wake = () => {}

  const handle = (event: ConnectionEvent) => {
    const next = nextConnection(state, event, Date.now())
    if (next === state) return
    state = next
    for (const listener of listeners) listener()
  }

  const client: Client = createClient({
    url,
    lazy: true,
    lazyCloseTimeout: lazyCloseMs,
    keepAlive: keepAliveMs,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    // Waits with full jitter, and not at all once the browser finds its network again.
    retryWait: (retries) =>
      new Promise((resolve) => {
        const timer = setTimeout(
          resolve,
          Math.random() * Math.min(retryFirstMs * 2 ** retries, retryMaxMs),
        )
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
    connectionParams: async () => {
      const bearer = await token()
      return bearer ? { authorization: `Bearer ${bearer}` } : {}
    },
    on: {
      connecting: () => handle({ kind: 'connecting' }),
      connected: (_socket, _payload, wasRetry) => {
        handle({ kind: 'connected' })
        if (wasRetry) for (const listener of reconnected) listener()
      },
      closed: (event) => {
        clearTimeout(pongTimer)
        handle({ kind: 'closed', isWanted: isNormalClose(event) })
      },
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => client.terminate(), pongWithinMs)
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer)
      },
    },
  })

  const online = () => {
    handle({ kind: 'network', isUp: true })
    wake()
  }
  const offline = () => handle({ kind: 'network', isUp: false })
  addEventListener('online', online)
  addEventListener('offline', offline)
  const ticker = setInterval(() => handle({ kind: 'tick' }), tickMs)

  return {
    client,
    state: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    /** Calls back after each connection that followed a lost one: what was missed must be read again. */
    onReconnected: (listener: () => void) => {
      reconnected.add(listener)
      return () => {
        reconnected.delete(listener)
      }
    },
    close() {
      removeEventListener('online', online)
      removeEventListener('offline', offline)
      clearInterval(ticker)
      clearTimeout(pongTimer)
      listeners.clear()
      reconnected.clear()
      void client.dispose()
    },
  }
}

function isNormalClose(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'code' in event && event.code === 1000
}
