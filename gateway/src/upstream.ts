import type { Log } from '@sluice/kit/log'
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, MessageType } from 'graphql-ws'
import { WebSocket } from 'ws'

import type { Limits } from './limits.ts'

/** A subscription to open at a subgraph. `extensions` is asked for at the last moment: the token in it is short-lived. */
interface UpstreamOperation {
  readonly query: string
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>>
  extensions(): Promise<Record<string, unknown>>
}

/** Who hears what comes of one operation. */
export interface UpstreamSink {
  event(payload: unknown, bytes: number): void
  /** Refused by the subgraph, with its errors. The operation is over. */
  refused(errors: readonly unknown[]): void
  complete(): void
  /** `unreachable` before it was sent, `lost` after. The operation is over. */
  failed(how: 'unreachable' | 'lost'): void
}

/** One multiplexed graphql-ws socket to a subgraph, opened with its first operation and again after a loss. */
export interface Upstream {
  /** Returns how to cancel, at any time and any number of times. The sink hears nothing afterwards. */
  open(operation: UpstreamOperation, sink: UpstreamSink): () => void
  /** Operations that the subgraph may still be serving. */
  readonly operations: number
  close(): void
}

const connectAttemptsMax = 3
const connectBackoffMs = 150

export function openUpstream(options: {
  url: string
  limits: Limits
  log: Log
  onChange: (operations: number) => void
}): Upstream {
  const { url, limits, log, onChange } = options
  const sinks = new Map<string, UpstreamSink>()
  let connection: Promise<WebSocket> | null = null
  let closed = false
  let lastId = 0

  async function connected(): Promise<WebSocket> {
    connection ??= connectRepeatedly().then((socket) => {
      socket.once('close', () => {
        connection = null
        lose()
      })
      return socket
    })
    const mine = connection
    try {
      return await mine
    } catch (error) {
      if (connection === mine) connection = null
      throw error
    }
  }

  async function connectRepeatedly(): Promise<WebSocket> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await connect(url, limits, receive)
      } catch (error) {
        if (attempt === connectAttemptsMax || closed) throw error
        await new Promise((resolve) =>
          setTimeout(resolve, connectBackoffMs * attempt * Math.random()),
        )
      }
    }
  }

  function lose(): void {
    if (sinks.size > 0 && !closed) log.warn({ operations: sinks.size }, 'upstream socket was lost')
    for (const id of sinks.keys()) take(id)?.failed('lost')
  }

  function take(id: string): UpstreamSink | undefined {
    const sink = sinks.get(id)
    if (sinks.delete(id)) onChange(sinks.size)
    return sink
  }

  function receive(message: Message, bytes: number): void {
    if (message.type === 'next') sinks.get(message.id)?.event(message.payload, bytes)
    else if (message.type === 'complete') take(message.id)?.complete()
    else if (message.type === 'error') {
      take(message.id)?.refused(
        Array.isArray(message.payload) ? message.payload : [message.payload],
      )
    }
  }

  async function start(id: string, operation: UpstreamOperation): Promise<void> {
    const [socket, extensions] = await Promise.all([connected(), operation.extensions()])
    if (!sinks.has(id)) return // Cancelled meanwhile.
    const { query, operationName, variables } = operation
    const payload = { query, operationName, variables, extensions }
    socket.send(JSON.stringify({ id, type: MessageType.Subscribe, payload }))
  }

  return {
    open(operation, sink) {
      lastId += 1
      const id = String(lastId)
      sinks.set(id, sink)
      onChange(sinks.size)
      start(id, operation).catch((error: unknown) => {
        log.warn({ err: error }, 'upstream is unreachable')
        take(id)?.failed('unreachable')
      })
      return () => {
        if (!take(id)) return
        // On a socket that is not open yet nothing was sent, and `start` sees that the sink is gone.
        void connection?.then(
          (socket) => socket.send(JSON.stringify({ id, type: MessageType.Complete })),
          () => undefined,
        )
      }
    },
    get operations() {
      return sinks.size
    },
    close() {
      closed = true
      void connection?.then(
        (socket) => socket.terminate(),
        () => undefined,
      )
      lose()
    },
  }
}

interface Message {
  type: `${MessageType}`
  id: string
  payload: unknown
}

/** Opens a socket and waits for the subgraph's acknowledgement. Ends it when the subgraph stops answering pings. */
function connect(
  url: string,
  limits: Limits,
  receive: (message: Message, bytes: number) => void,
): Promise<WebSocket> {
  const socket = new WebSocket(url, GRAPHQL_TRANSPORT_WS_PROTOCOL, {
    handshakeTimeout: limits.upstreamConnectMs,
    maxPayload: limits.upstreamMessageBytesMax,
    perMessageDeflate: false,
  })
  return new Promise((resolve, reject) => {
    let heard = true
    const deadline = setTimeout(
      () => fail(new Error('no acknowledgement')),
      limits.upstreamConnectMs,
    )
    const pinging = setInterval(() => {
      if (!heard) return socket.terminate()
      heard = false
      if (socket.readyState === WebSocket.OPEN) {
        socket.send(JSON.stringify({ type: MessageType.Ping }))
      }
    }, limits.upstreamPingMs)

    function fail(error: Error): void {
      clearTimeout(deadline)
      reject(error)
      socket.terminate()
    }

    socket.on('error', fail)
    socket.once('close', (code) => {
      clearInterval(pinging)
      fail(new Error(`closed with ${code}`))
    })
    socket.once('open', () => socket.send(JSON.stringify({ type: MessageType.ConnectionInit })))
    socket.on('message', (data) => {
      heard = true
      const text = Buffer.isBuffer(data) ? data.toString('utf8') : ''
      const message = parseMessage(text)
      if (!message) return socket.close(CloseCode.BadResponse, 'Bad response')
      if (message.type === 'connection_ack') {
        clearTimeout(deadline)
        resolve(socket)
      } else if (message.type === 'ping') {
        socket.send(JSON.stringify({ type: MessageType.Pong }))
      } else receive(message, text.length)
    })
  })
}

function parseMessage(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Message) : null
  } catch {
    return null
  }
}
