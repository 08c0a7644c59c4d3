import type { IncomingMessage, Server } from 'node:http'

import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws'
import { WebSocket, WebSocketServer } from 'ws'

import type { Log } from './log.ts'
import { SocketWriter } from './socket-writer.ts'

/** What a handler knows of the socket that an operation came by. */
export interface SocketExtra extends Record<PropertyKey, unknown> {
  readonly request: IncomingMessage
}

const messageBytesMax = 1024 * 1024
/** An operation waits for its reader when so much has not left yet. */
const bufferedBytesMax = 256 * 1024
const pingMs = 12_000
/** RFC 6455 section 7.4.1: the client connects elsewhere, or again. */
const goingAway = 1001

/**
 * The graphql-ws sockets of a subgraph, at `/graphql`. What happens in one turn leaves in one write, whichever of a
 * socket's operations it belongs to: the gateway, which has all of its own on one socket, joins at once what it reads at
 * once.
 */
export function serveSubgraphSockets(
  server: Server,
  options: ServerOptions<Record<string, unknown>, SocketExtra>,
  log: Log,
): { close(): Promise<void> } {
  const graph = makeServer(options)
  const writers = new Set<SocketWriter>()
  const sockets = new WebSocketServer({
    server,
    path: '/graphql',
    maxPayload: messageBytesMax,
    // The writer's frames are not compressed.
    perMessageDeflate: false,
    handleProtocols: (protocols) => handleProtocols(protocols),
  })
  // The HTTP server's own errors, handled where it listens; without a listener here they would throw.
  sockets.on('error', (error) => log.debug({ err: error }, 'socket server failed'))
  sockets.on('connection', (socket, request) => {
    const writer = new SocketWriter(socket, request.socket)
    writers.add(writer)
    const stopPinging = pingWhileOpen(socket)
    const closed = graph.opened(
      {
        protocol: socket.protocol,
        async send(text) {
          writer.send(text)
          if (writer.bufferedBytes > bufferedBytesMax) await writer.flushed()
        },
        close: (code, reason) => writer.close(code ?? goingAway, reason ?? ''),
        onMessage: (receive) =>
          socket.on('message', (data) => {
            receive(Buffer.isBuffer(data) ? data.toString('utf8') : '').catch((error: unknown) => {
              log.error({ err: error }, 'a socket message failed')
              writer.close(CloseCode.InternalServerError, 'Internal server error')
            })
          }),
      },
      { request },
    )
    // `close` follows, with everything that has to be done.
    socket.on('error', (error) => log.debug({ err: error }, 'socket failed'))
    socket.once('close', (code, reason) => {
      stopPinging()
      writers.delete(writer)
      closed(code, reason.toString('utf8')).catch((error: unknown) => {
        log.error({ err: error }, 'a subscription did not end well')
      })
    })
  })
  return {
    async close() {
      for (const writer of writers) writer.close(goingAway, 'Going away')
      await new Promise<void>((resolve) => sockets.close(() => resolve()))
    },
  }
}

/** Ends a socket whose other side has not been heard for a whole round. */
function pingWhileOpen(socket: WebSocket): () => void {
  let heard = true
  socket.on('pong', () => (heard = true))
  const timer = setInterval(() => {
    if (!heard) return socket.terminate()
    heard = false
    if (socket.readyState === WebSocket.OPEN) socket.ping()
  }, pingMs)
  return () => clearInterval(timer)
}
