import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

import { HeadScanner, headBytesMax, headRoomBytes } from '@sluice/wire'

import { routeOf } from '../route.ts'
import type { EdgeContext } from './edge-context.ts'
import { HeldWrite } from './held-write.ts'
import { VisitorConnection } from './visitor-connection.ts'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Edge {
  readonly httpPort: number
  readonly httpsPort: number | undefined
  /** Sends what the frames of a link's chunk have left to send. */
  flush(): void
  connections(): number
  /** Stops accepting; idle connections are closed, others after their exchange. */
  drain(): void
  close(): Promise<void>
}

export interface EdgeOptions extends Omit<
  EdgeContext,
  'scanner' | 'scratch' | 'held' | 'forget' | 'route'
> {
  readonly host: string
  readonly httpPort: number
  /** Undefined: no listener with TLS. */
  readonly httpsPort: number | undefined
  readonly certificate: Certificate
  /** Visitor connections at once; more are closed unanswered. */
  readonly connectionsMax: number
}

/** Opens the listeners of the public side. */
export async function openEdge(options: EdgeOptions): Promise<Edge> {
  const connections = new Set<VisitorConnection>()
  const context: EdgeContext = {
    ...options,
    scanner: new HeadScanner(),
    scratch: Buffer.allocUnsafeSlow(headBytesMax + headRoomBytes),
    held: new HeldWrite(),
    route: (asked) => routeOf(asked, options.places),
    forget: (connection) => connections.delete(connection),
  }
  const accept = (socket: Socket, tls: boolean): void => {
    if (connections.size >= options.connectionsMax) socket.destroy()
    else connections.add(new VisitorConnection(context, socket, tls))
  }

  const http = createServer({ allowHalfOpen: true }, (socket) => accept(socket, false))
  const listening = [{ server: http, port: await listen(http, options.httpPort, options.host) }]
  if (options.httpsPort !== undefined) {
    const https = openTls(options.certificate, (socket) => accept(socket, true))
    listening.push({ server: https, port: await listen(https, options.httpsPort, options.host) })
  }

  const shortestMs = Math.min(...Object.values(options.timeouts))
  const sweep = setInterval(
    () => {
      const nowMs = performance.now()
      for (const connection of connections) connection.sweep(nowMs)
    },
    Math.max(20, Math.min(500, shortestMs / 4)),
  )
  const stopListening = (): void => {
    for (const { server } of listening) server.close()
    for (const connection of connections) connection.retire()
  }
  return {
    httpPort: listening[0]?.port ?? 0,
    httpsPort: listening[1]?.port,
    flush: () => context.held.flush(),
    connections: () => connections.size,
    drain: stopListening,
    async close() {
      clearInterval(sweep)
      stopListening()
      for (const connection of connections) connection.destroy()
    },
  }
}

function openTls({ cert, key }: Certificate, accept: (socket: Socket) => void): Server {
  const server = createTlsServer(
    {
      cert,
      key,
      allowHalfOpen: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: 10_000,
    },
    accept,
  )
  // A failed handshake concerns its visitor alone.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return server
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: 1024 }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
