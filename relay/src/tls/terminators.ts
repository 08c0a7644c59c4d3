import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'

import { LRUCache } from 'lru-cache'

import type { ServedCertificate } from './certificate.ts'

/** How the handshakes of one host go. */
export interface HostTls {
  readonly certificate: ServedCertificate
  /** PEM: visitors are asked for a certificate that it has signed, and that none of the revocation lists beside it names. */
  readonly visitorCa: string | undefined
  /** Undefined: the protocol inside is no business of the relay. */
  readonly alpn: readonly string[] | undefined
}

export interface TerminatorEvents {
  /** `visitorCa`: what the handshake has checked a certificate of the visitor against. */
  secured(socket: TLSSocket, visitorCa: string | undefined): void
  failed(socket: TLSSocket): void
}

/** What keeps tickets and keys of a host takes about 40 KB. */
const hostsMax = 2_000
/** Keys of a host that nobody visits are not kept for ever. */
const unusedMs = 3_600_000
/** Handshakes of names that no tunnel here has. */
const nobody = ''

/**
 * Makes the handshakes of a host. Each host has keys for session tickets of its own, so that a session made with one
 * cannot be resumed at another; with those of nobody none can be resumed at all. OpenSSL takes the ticket keys of the
 * context that a connection begins with, whatever its SNI callback chooses later: hence a server per host, not a callback.
 */
export class Terminators {
  readonly #events: TerminatorEvents
  readonly #handshakeTimeoutMs: number
  readonly #byHost = new LRUCache<string, { tls: HostTls; server: Server }>({
    max: hostsMax,
    ttl: unusedMs,
    updateAgeOnGet: true,
  })

  constructor(handshakeTimeoutMs: number, events: TerminatorEvents) {
    this.#handshakeTimeoutMs = handshakeTimeoutMs
    this.#events = events
  }

  /** Makes the handshake on a socket whose first bytes have been put back. `host` undefined: nobody's. */
  begin(socket: Socket, host: string | undefined, tls: HostTls): void {
    const key = host ?? nobody
    const held = this.#byHost.get(key)
    const fits = held && isSame(held.tls, tls)
    const server = fits ? held.server : this.#open(tls, host !== undefined)
    if (!fits) {
      this.#byHost.purgeStale()
      this.#byHost.set(key, { tls, server })
    }
    server.emit('connection', socket)
  }

  #open({ certificate, visitorCa, alpn }: HostTls, resumable: boolean): Server {
    const server = createServer(
      {
        cert: certificate.cert,
        key: certificate.key,
        ...(visitorCa === undefined ? {} : { ...trustOf(visitorCa), requestCert: true }),
        // Who shows none, or a wrong one, is told why in a page rather than by an alert.
        rejectUnauthorized: false,
        ...(alpn ? { ALPNProtocols: [...alpn] } : {}),
        minVersion: 'TLSv1.2',
        allowHalfOpen: true,
        handshakeTimeout: this.#handshakeTimeoutMs,
        secureOptions:
          constants.SSL_OP_NO_RENEGOTIATION | (resumable ? 0 : constants.SSL_OP_NO_TICKET),
      },
      (socket) => this.#events.secured(socket, visitorCa),
    )
    // A failed handshake concerns its visitor alone.
    return server.on('tlsClientError', (_error, socket) => this.#events.failed(socket))
  }
}

/** With one list, OpenSSL wants one for each authority of a visitor's chain, and refuses the chain without. */
function trustOf(visitorCa: string) {
  const lists = visitorCa.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g)
  return { ca: visitorCa, ...(lists ? { crl: [...lists] } : {}) }
}

function isSame(one: HostTls, other: HostTls): boolean {
  return (
    one.certificate.cert === other.certificate.cert &&
    one.certificate.key === other.certificate.key &&
    one.visitorCa === other.visitorCa &&
    one.alpn?.join() === other.alpn?.join()
  )
}
