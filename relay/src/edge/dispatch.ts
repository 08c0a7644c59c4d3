import type { Details, ErrorCode } from '@sluice/schema/errors'
import { requestBody, requestFault, type Session, type StreamEvents } from '@sluice/wire'

import { CapturedBytes } from '../observe/captured-bytes.ts'
import type { AuthVerdict } from '../policy/basic-auth.ts'
import { paced } from '../policy/paced-stream.ts'
import type { Route } from '../route.ts'
import type { TlsVisit } from '../tls/tls-visit.ts'
import type { EdgeContext } from './edge-context.ts'
import { takesHtml } from './error-response.ts'
import type { Exchange } from './exchange.ts'
import { recordRequest } from './record-heads.ts'
import { httpsAddress, isChallenge } from './redirect.ts'
import type { RequestBody } from './request-body.ts'
import { upgradeOf, writeRequest } from './request-head.ts'
import type { VisitorHost } from './visitor-host.ts'
import type { VisitorSocket } from './visitor-socket.ts'

/** The connection that a request came on. */
export interface Asker {
  /** Hears what comes of a stream. */
  readonly answer: StreamEvents
  /** Nothing has been decided yet. */
  readonly waiting: boolean
  refuse(code: ErrorCode, details: Details): void
  /** Leads the visitor to HTTPS. */
  redirect(location: string): void
  /** The request is under way, and its body is next. */
  readBody(): void
  /** The connection is an agent's. */
  handOver(head: Buffer): void
}

export interface DispatchParts {
  readonly edge: EdgeContext
  readonly exchange: Exchange
  readonly host: VisitorHost
  readonly body: RequestBody
  readonly asker: Asker
  readonly visitorIp: string
}

/** What becomes of a request once its head is read: asks where to, and carries it out. */
export class Dispatch {
  readonly #edge: EdgeContext
  readonly #exchange: Exchange
  readonly #host: VisitorHost
  readonly #body: RequestBody
  readonly #asker: Asker
  readonly #visitorIp: string
  readonly #tls: TlsVisit | undefined
  readonly #socket: VisitorSocket

  constructor(
    { edge, exchange, host, body, asker, visitorIp }: DispatchParts,
    socket: VisitorSocket,
    tls: TlsVisit | undefined,
  ) {
    this.#edge = edge
    this.#exchange = exchange
    this.#host = host
    this.#body = body
    this.#asker = asker
    this.#visitorIp = visitorIp
    this.#socket = socket
    this.#tls = tls
  }

  /** `verdict`: what came of a password that this request waited for. */
  serve(buffer: Buffer, start: number, end: number, verdict?: AuthVerdict): void {
    const { scanner } = this.#edge
    const fault = requestFault(scanner, buffer, start) ?? this.#host.read(scanner, buffer)
    if (fault !== undefined) {
      this.#exchange.keepAlive = false
      this.#asker.refuse('SLUICE_REQUEST_MALFORMED', { reason: fault })
      return
    }
    this.#exchange.minorVersion = scanner.minorVersion
    this.#exchange.keepAlive =
      !this.#edge.places.draining() &&
      (scanner.minorVersion === 1 ? !scanner.connectionClose : scanner.connectionKeepAlive)
    this.#exchange.toHead =
      scanner.methodEnd - start === 4 && buffer[start] === 0x48 && buffer[start + 1] === 0x45
    this.#exchange.html =
      scanner.acceptIndex >= 0 && takesHtml(scanner.valueOf(buffer, scanner.acceptIndex))
    this.#exchange.requestKind = requestBody(scanner)
    this.#exchange.requestEnded = this.#exchange.requestKind === 'none'
    const route = this.#edge.route({
      endpointHost: this.#host.endpointHost,
      tls: this.#tls,
      redirects: this.#redirects(buffer),
      authorization:
        scanner.authorizationIndex < 0
          ? undefined
          : scanner.valueOf(buffer, scanner.authorizationIndex),
      visitorIp: this.#visitorIp,
      verdict,
    })
    this.#carryOut(route, buffer, start, end)
  }

  #carryOut(route: Route, buffer: Buffer, start: number, end: number): void {
    switch (route.kind) {
      case 'tunnel':
        this.#exchange.tunnel = route.tunnel
        this.#exchange.entered = true
        route.tunnel.active += 1
        route.tunnel.limits.rate?.take()
        this.#open(route.tunnel.session, buffer, start, end)
        return
      case 'console':
        this.#openConsole(buffer, start, end)
        return
      case 'redirect':
        this.#redirect(buffer)
        return
      case 'control':
        this.#asker.handOver(buffer.subarray(start, end))
        return
      case 'refuse':
        this.#exchange.tunnel = route.tunnel
        this.#edge.rejected(route)
        this.#asker.refuse(route.code, {
          endpointHost: this.#host.endpointHost,
          ...route.details,
        })
        return
      case 'verify':
        void route.verdict.then((verdict) => {
          if (!this.#asker.waiting) return
          // Other heads were scanned meanwhile.
          this.#edge.scanner.scanRequest(buffer, start, buffer.length)
          this.serve(buffer, start, end, verdict)
        })
        return
      case 'absent':
        void this.#edge.isKnown(this.#host.endpointHost).then((known) => {
          const code = known ? 'SLUICE_TUNNEL_OFFLINE' : 'SLUICE_TUNNEL_UNKNOWN'
          if (this.#asker.waiting)
            this.#asker.refuse(code, { endpointHost: this.#host.endpointHost })
        })
    }
  }

  #openConsole(buffer: Buffer, start: number, end: number): void {
    const session = this.#edge.console()
    if (session?.accepting) this.#open(session, buffer, start, end)
    else this.#asker.refuse('SLUICE_RELAY_UNAVAILABLE', {})
  }

  #open(session: Session, buffer: Buffer, start: number, end: number): void {
    const edge = this.#edge
    const { scanner, scratch } = edge
    this.#exchange.upgrade = upgradeOf(scanner, buffer)
    const length = writeRequest(scratch, {
      scanner,
      buffer,
      start,
      end,
      toHead: this.#exchange.toHead,
      upgrade: this.#exchange.upgrade,
      authorized: this.#exchange.tunnel?.policy?.basicAuth !== undefined,
      visitorIp: this.#visitorIp,
      forwarded: this.#host.forwarded,
    })
    if (this.#exchange.tunnel && edge.records(this.#exchange.tunnel, this.#exchange.startedMs)) {
      this.#exchange.record = recordRequest(
        scanner,
        buffer,
        start,
        this.#host.endpointHost,
        this.#visitorIp,
        this.#socket.http2,
      )
      if (this.#exchange.tunnel.claims.captureBodies === true) {
        this.#exchange.record.bodies = new CapturedBytes()
      }
    }
    this.#body.start(scanner, this.#exchange.requestKind)
    // Bytes behind an upgrade wait for its answer.
    const ended = this.#exchange.requestEnded && this.#exchange.upgrade === ''
    const stream = session.openStream(this.#asker.answer, scratch, 0, length, ended)
    this.#exchange.stream = paced(stream, this.#exchange.tunnel?.limits)
    if (this.#exchange.requestEnded) return
    this.#asker.readBody()
  }

  #redirects(buffer: Buffer): boolean {
    if (this.#edge.redirectPort === undefined || this.#tls) return false
    return !isChallenge(this.#edge.scanner, buffer)
  }

  #redirect(buffer: Buffer): void {
    const { scanner, redirectPort: httpsPort = 443 } = this.#edge
    const { endpointHost } = this.#host
    this.#asker.redirect(httpsAddress(scanner, buffer, { endpointHost, httpsPort }))
  }
}
