import { createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

import { DirectSocket, HeadScanner, headBytesMax, headRoomBytes } from '@sluice/wire'

import { H2Edge } from '../h2/h2-edge.ts'
import type { H2Limits } from '../h2/h2-limits.ts'
import type { Preface } from '../peer/preface.ts'
import { Compressors } from '../policy/compressed-stream.ts'
import type { TunnelLimits } from '../policy/tunnel-limits.ts'
import { addressDenied, routeOf } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'
import type { Certificates } from '../tls/certificates.ts'
import {
  TlsListener,
  type HandshakeResult,
  type TlsLimits,
  type TlsListenerOptions,
} from '../tls/tls-listener.ts'
import type { TlsVisit } from '../tls/tls-visit.ts'
import type { EdgeContext } from './edge-context.ts'
import { Gate } from './gate.ts'
import { HeldWrite } from './held-write.ts'
import { VisitorConnection } from './visitor-connection.ts'
import type { VisitorSocket } from './visitor-socket.ts'

export interface Edge {
  readonly httpPort: number
  readonly httpsPort: number | undefined
  /** Sends what the frames of a link's chunk have left to send. */
  flush(): void
  connections(): number
  /** A tunnel has got a bandwidth limit: what is under way keeps to it from now on. */
  pace(limits: TunnelLimits): void
  /** A tunnel's policy has changed: exchanges of visitors whom it keeps out now are cut off. */
  enforce(tunnel: TunnelSession): void
  /** Exchanges under way. */
  busy(): number
  /** Another relay's connection: brings requests of visitors, or the bytes of one. */
  acceptPeer(socket: Socket, preface: Preface): void
  /** Stops accepting; idle connections are closed, others after their exchange. */
  drain(): void
  close(): Promise<void>
}

export interface EdgeOptions extends Omit<
  EdgeContext,
  'scanner' | 'scratch' | 'held' | 'compressors' | 'forget' | 'route'
> {
  readonly host: string
  readonly httpPort: number
  /** Other processes listen on the same ports: the kernel shares connections out. */
  readonly reusePort?: boolean | undefined
  /** Undefined: no listener with TLS. */
  readonly httpsPort: number | undefined
  readonly tls: {
    readonly certificates: Certificates
    readonly limits: TlsLimits
    readonly onHandshake: (result: HandshakeResult) => void
  }
  /** Visitor connections at once, those in a handshake too; more wait. */
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly connectionsWaitingMax: number
  readonly onConnectionRefused: (reason: 'address' | 'full') => void
  readonly h2Limits?: Partial<H2Limits> | undefined
  /** Takes over a connection whose bytes are the agent's business: nobody reads the socket, and `first` has been read. */
  readonly serveRaw: TlsListenerOptions['splice']
}

/** Opens the listeners of the public side. */
export async function openEdge(options: EdgeOptions): Promise<Edge> {
  const connections = new Set<VisitorConnection>()
  const context: EdgeContext = {
    ...options,
    scanner: new HeadScanner(),
    scratch: Buffer.allocUnsafeSlow(headBytesMax + headRoomBytes),
    compressors: new Compressors(),
    held: new HeldWrite(options.sockets.slabs),
    route: (asked) => routeOf(asked, options.places),
    forget: (connection) => connections.delete(connection),
    acceptAgent(socket, head, first) {
      gate.release(socket instanceof DirectSocket ? socket.socket : socket)
      options.acceptAgent(socket, head, first)
    },
  }
  const count = (): number => connections.size + h2.connections + openings.size
  /** A connection of HTTP/2 counts, and each of its streams as if it were one. */
  const accept = (socket: VisitorSocket, visit: TlsVisit | undefined): boolean => {
    if (count() >= options.connectionsMax) return false
    connections.add(new VisitorConnection(context, socket, visit))
    return true
  }
  const h2 = new H2Edge({
    limits: options.h2Limits,
    idleTimeoutMs: options.timeouts.idleTimeoutMs,
  })
  const acceptTls = (socket: TLSSocket, visit: TlsVisit): void => {
    if (socket.alpnProtocol === 'h2') h2.serve(socket, (stream) => accept(stream, visit))
    else if (!accept(socket, visit)) socket.destroy()
  }
  const { places, tls } = options
  const openings = new TlsListener({
    ...tls,
    alpn: ['h2', 'http/1.1'],
    find(serverName) {
      const tunnel = places.sessions.find(serverName)
      // Its agent may have a session on another relay by now.
      return tunnel?.moved || !tunnel?.session.accepting ? undefined : tunnel
    },
    isOwn: (name) =>
      name === places.edgeHost || name === places.ownEdgeHost || name === places.consoleHost,
    admits: () => count() < options.connectionsMax,
    secured: acceptTls,
    splice: (visit) => options.serveRaw(visit),
    elsewhere: (name, visitor) => options.peers?.connectRaw({ name, ...visitor }),
  })

  const gate = new Gate({
    ...options,
    count,
    idleTimeoutMs: options.timeouts.idleTimeoutMs,
    onRefused: options.onConnectionRefused,
  })
  const http = createServer({ allowHalfOpen: true }, (socket) => {
    gate.admit(socket, () => {
      if (!accept(options.sockets.open(socket) ?? socket, undefined)) socket.destroy()
    })
  })
  const listening = [{ server: http, port: await listen(http, options.httpPort, options) }]
  if (options.httpsPort !== undefined) {
    const https = createServer({ allowHalfOpen: true }, (socket) => {
      gate.admit(socket, () => openings.accept(socket))
    })
    listening.push({ server: https, port: await listen(https, options.httpsPort, options) })
  }

  const { bodyBytesMin: _bytes, ...timeoutsMs } = options.timeouts
  const shortestMs = Math.min(...Object.values(timeoutsMs).filter((ms) => ms > 0))
  const sweep = setInterval(
    () => {
      const nowMs = performance.now()
      for (const connection of connections) connection.sweep(nowMs)
      h2.sweep(nowMs)
      if (gate.waiting > 0) makeRoom(nowMs)
    },
    Math.max(20, Math.min(500, shortestMs / 4)),
  )
  /** Visitors that wait come before those that only keep their connection. */
  const makeRoom = (nowMs: number): void => {
    let wanted = gate.waiting
    for (const connection of connections) {
      if (wanted === 0) break
      if (!connection.idle) continue
      connection.retire()
      wanted -= 1
    }
    gate.sweep(nowMs)
  }
  const stopListening = (): void => {
    for (const { server } of listening) server.close()
    h2.retire()
    for (const connection of connections) connection.retire()
  }
  return {
    httpPort: listening[0]?.port ?? 0,
    httpsPort: listening[1]?.port,
    flush: () => context.held.flush(),
    connections: count,
    pace(limits) {
      for (const connection of connections) connection.pace(limits)
    },
    enforce(tunnel) {
      for (const one of connections)
        if (one.enforce(tunnel)) options.rejected({ ...addressDenied, tunnel })
    },
    busy() {
      let busy = h2.streams
      for (const connection of connections) if (connection.busy) busy += 1
      return busy
    },
    acceptPeer(socket, { mode, visitorIp = '', visitorPort = 0 }) {
      if (mode === 'raw') openings.accept(socket, { visitorIp, visitorPort })
      else connections.add(new VisitorConnection(context, socket, undefined, true))
    },
    drain: stopListening,
    async close() {
      clearInterval(sweep)
      stopListening()
      gate.close()
      h2.destroy()
      openings.close()
      for (const connection of connections) connection.destroy()
    },
  }
}

function listen(
  server: Server,
  port: number,
  { host, reusePort = false }: Pick<EdgeOptions, 'host' | 'reusePort'>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: 1024, reusePort }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
