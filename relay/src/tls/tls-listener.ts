import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

import { addressOf } from '../edge/visitor-socket.ts'
import type { TunnelSession } from '../sessions.ts'
import { notTlsAnswer } from './answers.ts'
import type { ServedCertificate } from './certificate.ts'
import type { Certificates } from './certificates.ts'
import { readFirstBytes } from './client-hello.ts'
import { HandshakeLimit } from './handshake-limit.ts'
import { joinSockets } from './join-sockets.ts'
import { Terminators } from './terminators.ts'
import {
  showsCertificate,
  visitorCertificateOf,
  type TlsVisit,
  type VisitorAddress,
} from './tls-visit.ts'

/** How a connection to the TLS port went until it was somebody's: labels of a metric. */
export const handshakeResults = [
  'completed',
  /** Passed on unread, for the agent to terminate. */
  'passed',
  'not_tls',
  'malformed',
  'no_certificate',
  'timeout',
  'failed',
  /** The visitor left. */
  'gone',
  /** The relay or the address had as many as it may. */
  'limited',
] as const
export type HandshakeResult = (typeof handshakeResults)[number]

export interface TlsLimits {
  /** From the connection to the last byte of the ClientHello. */
  readonly helloTimeoutMs: number
  /** From the ClientHello to the end of the handshake. */
  readonly handshakeTimeoutMs: number
  /** Handshakes under way from one IPv4 address or IPv6 /64. */
  readonly handshakesPerAddressMax: number
}

export interface TlsListenerOptions {
  readonly certificates: Certificates
  readonly limits: TlsLimits
  /** The tunnel that a name belongs to here. */
  find(serverName: string): TunnelSession | undefined
  /** Names of the relay's own. */
  isOwn(serverName: string): boolean
  /** Whether one more connection may come. */
  admits(): boolean
  /** What the relay speaks inside TLS, the preferred first. */
  readonly alpn: readonly string[]
  /** A handshake is done: HTTP follows, by `alpnProtocol`. */
  secured(socket: TLSSocket, visit: TlsVisit): void
  /** The bytes of a tunnel of kind `tls` follow; `first` of them are here already. The socket is paused. */
  splice(visit: {
    readonly socket: Socket
    readonly first: Buffer
    readonly tunnel: TunnelSession
    readonly serverName: string
    readonly visitor: VisitorAddress | undefined
  }): void
  /** A connection to the relay that makes the handshakes of a name, if there is one. */
  elsewhere?(name: string, visitor: VisitorAddress): Promise<Socket | undefined> | undefined
  onHandshake(result: HandshakeResult): void
}

/** A connection that is nobody's yet. */
interface Opening {
  readonly socket: Socket
  readonly address: string
  /** Another relay has brought it: it is not sent on once more. */
  readonly visitor: VisitorAddress | undefined
  /** By which the TLS socket on top of it is told. */
  readonly key: string
  readonly timer: NodeJS.Timeout
  onData: (chunk: Buffer) => void
  first: Buffer
  serverName: string | undefined
  /** Undefined while it is under way. */
  result: HandshakeResult | undefined
}

/** How long a refused visitor has to read why. */
const lingerMs = 2_000
const none: Buffer = Buffer.alloc(0)

/** Looks at the ClientHello of each connection, then passes the bytes on unread or makes the handshake itself. */
export class TlsListener {
  readonly #options: TlsListenerOptions
  readonly #limit: HandshakeLimit
  readonly #terminators: Terminators
  readonly #openings = new Map<string, Opening>()
  readonly #joined = new Set<Socket>()

  constructor(options: TlsListenerOptions) {
    this.#options = options
    this.#limit = new HandshakeLimit(options.limits.handshakesPerAddressMax)
    this.#terminators = new Terminators(options.limits.handshakeTimeoutMs, {
      secured: (socket, visitorCa) => this.#secured(socket, visitorCa),
      failed: (socket) => this.#failed(socket),
    })
  }

  /** Connections that are nobody's yet, and those of other relays' tunnels. */
  get size(): number {
    return this.#openings.size + this.#joined.size
  }

  /** `visitor`: who it is, where another relay has brought its bytes. */
  accept(socket: Socket, visitor?: VisitorAddress): void {
    const address = visitor?.visitorIp ?? addressOf(socket)
    if (!this.#options.admits() || !this.#limit.begin(address)) {
      this.#options.onHandshake('limited')
      socket.destroy()
      return
    }
    const opening: Opening = {
      socket,
      address,
      visitor,
      key: keyOf(socket),
      timer: setTimeout(() => this.#end(opening, 'timeout'), this.#options.limits.helloTimeoutMs),
      onData: (chunk) => this.#onData(opening, chunk),
      first: none,
      serverName: undefined,
      result: undefined,
    }
    this.#openings.set(opening.key, opening)
    socket.setNoDelay(true)
    socket.on('data', opening.onData)
    // Whoever closes its half before the handshake is through wants nothing more.
    socket.once('end', () => this.#end(opening, 'gone'))
    socket.on('error', () => undefined)
    socket.once('close', () => this.#settle(opening, 'gone'))
  }

  close(): void {
    for (const { socket } of this.#openings.values()) socket.destroy()
    for (const socket of this.#joined) socket.destroy()
  }

  #onData(opening: Opening, chunk: Buffer): void {
    if (opening.result !== undefined) return
    opening.first = opening.first === none ? chunk : Buffer.concat([opening.first, chunk])
    const first = readFirstBytes(opening.first)
    switch (first.kind) {
      case 'incomplete':
        return
      case 'http':
        this.#refuse(opening, 'not_tls', notTlsAnswer(opening.first))
        return
      case 'malformed':
        this.#end(opening, 'malformed')
        return
      case 'hello':
        clearTimeout(opening.timer)
        opening.serverName = first.serverName
        // From here on the bytes are read by whoever gets the socket.
        opening.socket.off('data', opening.onData).pause()
        this.#decide(opening)
    }
  }

  #decide(opening: Opening): void {
    const { serverName } = opening
    const tunnel = serverName === undefined ? undefined : this.#options.find(serverName)
    if (tunnel?.claims.kind === 'tls' && tunnel.claims.tlsMode === 'passthrough') {
      this.#settle(opening, 'passed')
      this.#splice(opening, opening.socket, tunnel)
      return
    }
    const way = tunnel ? undefined : this.#elsewhere(opening)
    if (!way) {
      this.#certify(opening)
      return
    }
    way.then(
      (peer) => (peer ? this.#join(opening, peer) : this.#certify(opening)),
      () => this.#certify(opening),
    )
  }

  /** Another relay may have the tunnel, and have to make the handshake itself. */
  #elsewhere({ serverName, visitor, socket, address }: Opening) {
    if (serverName === undefined || visitor || this.#options.isOwn(serverName)) return undefined
    const visitorPort = socket.remotePort ?? 0
    return this.#options.elsewhere?.(serverName, { visitorIp: address, visitorPort })
  }

  #join(opening: Opening, peer: Socket): void {
    const { socket, first } = opening
    if (opening.result !== undefined) {
      peer.on('error', () => undefined).destroy()
      return
    }
    this.#settle(opening, 'passed')
    this.#joined.add(socket)
    socket.once('close', () => this.#joined.delete(socket))
    peer.write(first)
    joinSockets(socket, peer)
  }

  #certify(opening: Opening): void {
    const { serverName } = opening
    const certificate = this.#options.certificates.find(serverName)
    if (!(certificate instanceof Promise)) {
      this.#terminate(opening, certificate)
      return
    }
    certificate.then(
      (found) => this.#terminate(opening, found),
      () => this.#end(opening, 'no_certificate'),
    )
  }

  #terminate(opening: Opening, certificate: ServedCertificate | undefined): void {
    const { socket, serverName, first } = opening
    // The visitor may have left while the certificate was fetched.
    if (opening.result !== undefined) return
    if (!certificate) {
      this.#refuse(opening, 'no_certificate', unrecognizedName)
      return
    }
    const tunnel = serverName === undefined ? undefined : this.#options.find(serverName)
    const known =
      serverName !== undefined && (tunnel !== undefined || this.#options.isOwn(serverName))
    socket.unshift(first)
    opening.first = none
    try {
      this.#terminators.begin(socket, known ? serverName : undefined, {
        certificate,
        visitorCa: tunnel?.claims.policy.visitorCa,
        alpn: tunnel?.claims.kind === 'tls' ? undefined : this.#options.alpn,
      })
    } catch {
      // An authority that OpenSSL cannot read: closed to all rather than open to all.
      this.#end(opening, 'failed')
    }
  }

  #secured(socket: TLSSocket, visitorCa: string | undefined): void {
    const opening = this.#openings.get(keyOf(socket))
    if (!opening) {
      socket.destroy()
      return
    }
    this.#settle(opening, 'completed')
    const { serverName } = opening
    const visit = {
      serverName,
      certificate: visitorCertificateOf(socket, visitorCa),
      visitorIp: opening.visitor?.visitorIp,
    }
    const tunnel = serverName === undefined ? undefined : this.#options.find(serverName)
    if (tunnel?.claims.kind !== 'tls') this.#options.secured(socket, visit)
    // There is no page to say it in, and no alert behind a handshake.
    else if (!showsCertificate(tunnel.claims.policy, visit)) socket.destroy()
    else this.#splice({ ...opening, first: none }, socket.pause(), tunnel)
  }

  #splice({ first, serverName = '', visitor }: Opening, socket: Socket, tunnel: TunnelSession) {
    this.#options.splice({ socket, first, tunnel, serverName, visitor })
  }

  #failed(socket: TLSSocket): void {
    const opening = this.#openings.get(keyOf(socket))
    if (opening) this.#end(opening, 'failed')
    socket.destroy()
  }

  /** Tells why, and closes. */
  #refuse(opening: Opening, result: HandshakeResult, answer: Buffer): void {
    const { socket } = opening
    opening.result = result
    clearTimeout(opening.timer)
    const timer = setTimeout(() => socket.destroy(), lingerMs)
    socket.once('close', () => clearTimeout(timer))
    socket.resume().end(answer)
  }

  #end(opening: Opening, result: HandshakeResult): void {
    // What is settled has an owner, who hears of the end; what is refused is about to close.
    if (opening.result !== undefined) return
    opening.result = result
    opening.socket.destroy()
  }

  /** The connection is somebody's now, or gone: it counts here no longer. */
  #settle(opening: Opening, result: HandshakeResult): void {
    if (!this.#openings.delete(opening.key)) return
    opening.result ??= result
    clearTimeout(opening.timer)
    this.#limit.end(opening.address)
    this.#options.onHandshake(opening.result)
  }
}

/** A fatal alert, `unrecognized_name` (RFC 6066 §3). */
const unrecognizedName = Buffer.from([21, 3, 3, 0, 2, 2, 112])

function keyOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`
}
