import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

import { SluiceError, problemOf, type ErrorCode } from '@sluice/schema/errors'
import { CloseCode, handleProtocols } from 'graphql-ws'
import { WebSocketServer } from 'ws'

import type { GatewayMetrics } from './metrics.ts'
import { SocketConnection, type SocketOptions } from './socket-connection.ts'
import { Tally } from './tally.ts'

/** What a client is told to wait when there is no room for its socket. */
const retryAfterSeconds = 5

export interface SocketDoor {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Closes every socket with 1012, upon which clients connect again. */
  close(): Promise<void>
}

/** A door of the graph over graphql-ws, on the port of the HTTP doors. */
export function createSocketDoor(
  options: SocketOptions & {
    isAllowedOrigin: (origin: string | undefined) => boolean
    visitorIpOf: (request: IncomingMessage) => string
    metrics: GatewayMetrics
  },
): SocketDoor {
  const { limits, metrics } = options
  const connections = new Set<SocketConnection>()
  const ofIp = new Tally()
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytesMax,
    // A bomb of a few bytes could stand for megabytes, and messages are small.
    perMessageDeflate: false,
    handleProtocols: (protocols) => handleProtocols(protocols),
  })

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      // CORS does not cover WebSockets: a page of any site may open one.
      if (!options.isAllowedOrigin(request.headers.origin)) {
        return refuse(socket, 'SLUICE_REQUEST_UNSAFE')
      }
      const visitorIp = options.visitorIpOf(request)
      const full = connections.size >= limits.socketsMax
      if (full || ofIp.count(visitorIp) >= limits.socketsPerIpMax) {
        return refuse(socket, 'SLUICE_RATE_LIMITED')
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        if (webSocket.protocol === '') {
          return webSocket.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable')
        }
        const connection = new SocketConnection(webSocket, socket, visitorIp, options)
        connections.add(connection)
        const leave = ofIp.add(visitorIp)
        metrics.sockets.inc()
        webSocket.once('close', () => {
          connections.delete(connection)
          leave()
          metrics.sockets.dec()
        })
      })
    },

    async close() {
      for (const connection of connections) connection.restart()
      const forced = setTimeout(() => {
        for (const webSocket of server.clients) webSocket.terminate()
      }, 2 * limits.closeGraceMs)
      const closing = [...server.clients].map(
        (webSocket) => new Promise((resolve) => webSocket.once('close', resolve)),
      )
      await Promise.all(closing)
      clearTimeout(forced)
    },
  }
}

function refuse(socket: Duplex, code: ErrorCode): void {
  const problem = problemOf(new SluiceError(code, { retryAfterSeconds }))
  const body = JSON.stringify(problem)
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      `sluice-error: ${code}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
