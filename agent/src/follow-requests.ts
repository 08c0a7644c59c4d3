import { isErrorCode, SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'
import { createClient, TerminatedCloseEvent, type Client } from 'graphql-ws/client'
import { WebSocket } from 'ws'

import { isPassing, problemFrom, unreachable } from './api.ts'
import { createBackoff } from './backoff.ts'
import { delay } from './delay.ts'
import { lookup } from './localhost.ts'
import { createProxyAgent, type ProxyOf } from './proxy.ts'
import type { LoggedRequest } from './request-log.ts'

const reconnectBaseMs = 500
const reconnectCapMs = 15_000
const handshakeTimeoutMs = 10_000
/** A connection that lost its peer without a word is noticed within twice this time. */
const pingIntervalMs = 15_000
const messageBytesMax = 1024 * 1024

export interface FollowOptions {
  readonly server: string
  readonly authtoken: string
  readonly ca?: string | undefined
  readonly proxyOf?: ProxyOf | undefined
  readonly organizationId: string
  readonly tunnelId: string | null
  /** Where to go on: what came after this cursor is delivered first. */
  readonly after: string | null
  readonly signal: AbortSignal
  readonly random?: () => number
  readonly pingIntervalMs?: number
  readonly reconnectBaseMs?: number
  readonly handshakeTimeoutMs?: number
}

export interface FollowListener {
  connected(reconnected: boolean): void
  disconnected(problem: Error, retryInMs: number): void
  /** A gap of so many requests; null when nobody knows how many. */
  missed(requests: number | null): void
  /** Returns a promise when the reader is slow: nothing more is read until it settles. */
  request(request: LoggedRequest): void | Promise<void>
}

interface CapturedEvent {
  readonly cursor: string
  readonly missed: number
  readonly request: LoggedRequest
}

/** Follows the request log until aborted, through any loss of the server. Throws what cannot pass. */
export async function followRequests(
  options: FollowOptions,
  listener: FollowListener,
): Promise<void> {
  const { signal, random = Math.random } = options
  const backoff = createBackoff({
    baseMs: options.reconnectBaseMs ?? reconnectBaseMs,
    capMs: reconnectCapMs,
    random,
  })
  let cursor = options.after
  let wasConnected = false

  while (!signal.aborted) {
    try {
      await followOnce(options, cursor, {
        connected() {
          listener.connected(wasConnected)
          // Without a cursor there is nothing to go on from: what came meanwhile is not shown.
          if (wasConnected && cursor === null) listener.missed(null)
          wasConnected = true
        },
        event({ cursor: reached, missed, request }) {
          cursor = reached
          // Not at the connection already: a server that accepts and then fails is not hammered.
          backoff.reset()
          if (missed > 0) listener.missed(missed)
          return listener.request(request)
        },
      })
    } catch (problem) {
      if (signal.aborted) return
      if (problem instanceof SluiceError && problem.code === 'SLUICE_CURSOR_INVALID' && cursor) {
        cursor = null
        listener.missed(null)
      } else if (!(problem instanceof Error) || !isPassing(problem)) throw problem
      const retryInMs = backoff.nextMs()
      listener.disconnected(problem, retryInMs)
      await delay(retryInMs, signal)
    }
  }
}

interface Once {
  connected(): void
  event(event: CapturedEvent): void | Promise<void>
}

/** One connection and one subscription on it. Ends only by throwing, or by the signal. */
async function followOnce(
  { server, authtoken, organizationId, tunnelId, signal, ...options }: FollowOptions,
  after: string | null,
  once: Once,
): Promise<void> {
  let socket: WebSocket | null = null
  let pongTimer: NodeJS.Timeout | undefined
  const client: Client = createClient({
    url: `${server.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: socketClass(options),
    connectionParams: { authorization: `Bearer ${authtoken}` },
    // A retry of its own would repeat the old cursor.
    retryAttempts: 0,
    connectionAckWaitTimeout: options.handshakeTimeoutMs ?? handshakeTimeoutMs,
    keepAlive: options.pingIntervalMs ?? pingIntervalMs,
    on: {
      opened: (opened) => {
        socket = opened as WebSocket
      },
      connected: () => once.connected(),
      ping: (received) => {
        if (received) return
        clearTimeout(pongTimer)
        pongTimer = setTimeout(() => {
          client.terminate()
          socket?.terminate()
        }, options.pingIntervalMs ?? pingIntervalMs)
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer)
      },
    },
  })

  try {
    await new Promise<void>((resolve, reject) => {
      const unsubscribe = client.subscribe<{ requestCaptured: CapturedEvent }>(
        { query: cliOperations.requestCaptured, variables: { organizationId, tunnelId, after } },
        {
          next: ({ data, errors }) => {
            if (!data) return reject(problemFrom(errors?.[0]))
            const written = once.event(data.requestCaptured)
            if (!written) return
            // The reader is slow: stop reading, so that the server sees it and bounds what waits.
            socket?.pause()
            written.then(() => socket?.resume(), reject)
          },
          error: (error) => reject(problemOfClosing(error, server)),
          complete: () => reject(new SluiceError('SLUICE_SUBSCRIPTION_LOST')),
        },
      )
      signal.addEventListener(
        'abort',
        () => {
          unsubscribe()
          resolve()
        },
        { once: true },
      )
    })
  } finally {
    clearTimeout(pongTimer)
    void client.dispose()
    // Not only asked to close: a peer that is gone would keep the program waiting.
    ;(socket as WebSocket | null)?.terminate()
  }
}

/** `ws`, told how to resolve names below localhost and whom to trust. */
function socketClass({
  ca,
  proxyOf,
  ...options
}: Pick<FollowOptions, 'ca' | 'proxyOf' | 'handshakeTimeoutMs'>) {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      const target = new URL(url)
      const proxy = proxyOf?.(target) ?? null
      super(url, protocols, {
        lookup,
        handshakeTimeout: options.handshakeTimeoutMs ?? handshakeTimeoutMs,
        maxPayload: messageBytesMax,
        perMessageDeflate: false,
        followRedirects: false,
        ...(proxy ? { agent: createProxyAgent(proxy, target, { ca }) } : {}),
        ...(ca === undefined ? {} : { ca }),
      })
    }
  }
}

/** What graphql-ws ends a subscription with: GraphQL errors, a close event, or a socket's error event. */
function problemOfClosing(error: unknown, server: string): Error {
  if (Array.isArray(error)) return problemFrom(error[0])
  if (error instanceof TerminatedCloseEvent) return unreachable(server, new Error('it went silent'))
  if (isObject(error) && 'code' in error && typeof error['code'] === 'number') {
    const { code, reason } = error
    // The gateway's reason is the code of what it refused.
    if (code === 4401 || code === 4403) {
      return new SluiceError(isErrorCode(reason) ? reason : 'SLUICE_UNAUTHENTICATED')
    }
    if (code === 4406) return foreign(server)
    return unreachable(server, new Error(`the connection was closed (${code} ${String(reason)})`))
  }
  if (isObject(error) && error['error'] instanceof Error) return unreachable(server, error['error'])
  return unreachable(server, error)
}

function foreign(server: string): SluiceError {
  const reason = 'it does not speak graphql-transport-ws'
  return new SluiceError('SLUICE_SERVER_FOREIGN', { server, reason })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
