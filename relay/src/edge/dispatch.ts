import type { Details, ErrorCode } from '@sluice/schema/errors'
import {
  headBytesMax,
  requestBody,
  requestFault,
  type HeadScanner,
  type Session,
  type StreamEvents,
} from '@sluice/wire'

import { CapturedBytes } from '../observe/captured-bytes.ts'
import type { PeerWay } from '../peer/peers.ts'
import type { AuthVerdict } from '../policy/basic-auth.ts'
import { CompressedStream } from '../policy/compressed-stream.ts'
import { acceptedOf } from '../policy/compression.ts'
import type { HeaderChanges } from '../policy/header-changes.ts'
import { withoutVisitCookie } from '../policy/interstitial.ts'
import { paced } from '../policy/paced-stream.ts'
import type { CompiledPolicy } from '../policy/policy.ts'
import type { Route } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'
import { Admission, type HeldBody } from './admission.ts'
import type { EdgeContext } from './edge-context.ts'
import { takesHtml } from './error-response.ts'
import type { Exchange } from './exchange.ts'
import { recordRequest } from './record-heads.ts'
import { httpsAddress, isChallenge, permanentRedirect } from './redirect.ts'
import { Replay } from './replay.ts'
import type { RequestBody } from './request-body.ts'
import { isGrpc, upgradeOf, writeRequest } from './request-head.ts'
import type { VisitorHost } from './visitor-host.ts'
import type { VisitorSocket } from './visitor-socket.ts'

/** The connection that a request came on. */
export interface Asker {
  /** Hears what comes of a stream. */
  readonly answer: StreamEvents
  refuse(code: ErrorCode, details: Details, lines?: readonly string[]): void
  /** Sends a whole response of the relay itself that is no refusal. */
  answerWith(response: Buffer): void
  /** The visitor waits for a word before it sends the body. */
  invite(): void
  /** The request is under way, and its body is next. */
  readBody(): void
  /** There is somewhere to send the body again. */
  resume(): void
  /** The connection is an agent's. */
  handOver(head: Buffer): void
}

export interface DispatchParts {
  readonly edge: EdgeContext
  readonly exchange: Exchange
  readonly host: VisitorHost
  readonly body: RequestBody
  readonly asker: Asker
}

/** A request is sent again at most so often. */
const retriesMax = 2
/** Why a request came back from another relay that has done nothing with it. */
const untouchedCodes = new Set([
  'SLUICE_ROUTE_STALE',
  'SLUICE_UPSTREAM_REFUSED',
  'SLUICE_UPSTREAM_TIMEOUT',
])

/** What becomes of a request once its head is read: asks where to, and carries it out. */
export class Dispatch {
  readonly #edge: EdgeContext
  readonly #exchange: Exchange
  readonly #host: VisitorHost
  readonly #body: RequestBody
  readonly #asker: Asker
  readonly #socket: VisitorSocket
  readonly #admission: Admission

  constructor({ edge, exchange, host, body, asker }: DispatchParts, socket: VisitorSocket) {
    this.#edge = edge
    this.#exchange = exchange
    this.#host = host
    this.#body = body
    this.#asker = asker
    this.#socket = socket
    this.#admission = new Admission({ edge, exchange, host, body, asker })
  }

  serve(buffer: Buffer, start: number, end: number): void {
    const { scanner } = this.#edge
    const fault = requestFault(scanner, buffer, start) ?? this.#host.read(scanner, buffer)
    if (fault !== undefined) {
      this.#exchange.keepAlive = false
      this.#asker.refuse('SLUICE_REQUEST_MALFORMED', { reason: fault })
      return
    }
    this.#exchange.minorVersion = scanner.minorVersion
    this.#exchange.keepAlive =
      // Other relays are not told to come again: they hear where to go.
      (!this.#edge.places.draining() || this.#host.fromPeer) &&
      (scanner.minorVersion === 1 ? !scanner.connectionClose : scanner.connectionKeepAlive)
    this.#exchange.toHead =
      scanner.methodEnd - start === 4 && buffer[start] === 0x48 && buffer[start + 1] === 0x45
    this.#exchange.html =
      scanner.acceptIndex >= 0 &&
      // Programs say `*/*`, and nothing shorter than this is a page.
      (scanner.valueEnd[scanner.acceptIndex] as number) -
        (scanner.valueStart[scanner.acceptIndex] as number) >=
        'text/html'.length &&
      takesHtml(scanner.valueOf(buffer, scanner.acceptIndex))
    this.#exchange.requestKind = requestBody(scanner)
    this.#exchange.requestEnded = this.#exchange.requestKind === 'none'
    // gRPC comes in HTTP/2 alone, and nobody else is to pay for the question.
    if (this.#socket.http2) this.#exchange.grpc = isGrpc(scanner, buffer)
    this.#decide(buffer, start, end)
  }

  /** Asks where to. The scanner holds the request's head. `verdict`: what came of a password that the request waited for. */
  #decide(buffer: Buffer, start: number, end: number, verdict?: AuthVerdict): void {
    const { scanner } = this.#edge
    const route = this.#edge.route({
      endpointHost: this.#host.endpointHost,
      tls: this.#host.tls,
      redirects: this.#redirects(buffer),
      authorization:
        scanner.authorizationIndex < 0
          ? undefined
          : scanner.valueOf(buffer, scanner.authorizationIndex),
      visitorIp: this.#host.visitorIp,
      verdict,
    })
    if (goesAtOnce(route)) this.#carryOut(route, buffer, start, end)
    else {
      // Whatever may have to wait outlives the read that brought it.
      const head = Buffer.from(buffer.subarray(start, end))
      scanner.scanRequest(head, 0, head.length)
      this.#carryOut(route, head, 0, head.length)
    }
  }

  #carryOut(route: Route, buffer: Buffer, start: number, end: number): void {
    switch (route.kind) {
      case 'tunnel':
        if (this.#host.fromPeer && route.tunnel.claims.epoch < this.#host.peerEpoch) {
          this.#elsewhere(buffer, start, end)
          return
        }
        if (route.tunnel.pool && this.#share(route.tunnel, buffer, start, end)) return
        this.#exchange.tunnel = route.tunnel
        this.#exchange.entered = true
        route.tunnel.active += 1
        route.tunnel.limits.rate?.take()
        this.#admit(route.tunnel, buffer, start, end)
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
      case 'verify': {
        const { startedMs } = this.#exchange
        void route.verdict.then((verdict) => {
          if (this.#exchange.startedMs !== startedMs) return
          // Other heads were scanned meanwhile.
          this.#edge.scanner.scanRequest(buffer, start, buffer.length)
          this.#decide(buffer, start, end, verdict)
        })
        return
      }
      case 'absent':
        this.#elsewhere(buffer, start, end)
    }
  }

  /** A pool's request: kept for another try, and sent to another relay whose members have less to do. */
  #share(tunnel: TunnelSession, buffer: Buffer, start: number, end: number): boolean {
    const { peers } = this.#edge
    const { endpointHost, fromPeer } = this.#host
    if (fromPeer) return false
    this.#keep(buffer, start, end)
    const way = peers?.lighter(endpointHost, tunnel)
    if (way) this.#forward(way, buffer, start, end)
    return way !== undefined
  }

  /** Serves the request through the relay that holds the tunnel, if there is one. */
  #elsewhere(buffer: Buffer, start: number, end: number): void {
    const { peers } = this.#edge
    const { endpointHost, fromPeer } = this.#host
    if (fromPeer) {
      // It came from a relay that forwarded it once: once is all.
      this.#asker.refuse('SLUICE_ROUTE_STALE', { endpointHost })
      return
    }
    const avoid = this.#exchange.replay?.avoid
    const way = avoid || !peers ? undefined : peers.peek(endpointHost)
    if (way) this.#forward(way, buffer, start, end)
    else if (!peers || way === null) this.#refuseAbsent()
    else {
      const { startedMs } = this.#exchange
      void peers.find(endpointHost, avoid).then((found) => {
        if (this.#exchange.startedMs !== startedMs) return
        if (!found) {
          this.#refuseAbsent()
          return
        }
        // Other heads were scanned meanwhile.
        this.#edge.scanner.scanRequest(buffer, start, end)
        this.#forward(found, buffer, start, end)
      })
    }
  }

  #refuseAbsent(): void {
    const { endpointHost } = this.#host
    if (this.#edge.places.suspendedHosts.isClosed(endpointHost)) {
      const refusal = { code: 'SLUICE_HOST_SUSPENDED', reason: 'holder_suspended' } as const
      this.#edge.rejected(refusal)
      this.#asker.refuse(refusal.code, { endpointHost })
      return
    }
    const { startedMs } = this.#exchange
    void this.#edge.whyAbsent(endpointHost).then((code) => {
      if (this.#exchange.startedMs === startedMs) this.#asker.refuse(code, { endpointHost })
    })
  }

  #forward(way: PeerWay, buffer: Buffer, start: number, end: number): void {
    this.#keep(buffer, start, end)
    this.#exchange.way = way
    this.#exchange.leaveWay = this.#edge.peers?.enter(way)
    this.#open(way.session, buffer, start, end)
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    const hasBody = this.#exchange.requestKind !== 'none'
    this.#exchange.replay ??= new Replay(buffer.subarray(start, end), hasBody)
  }

  /**
   * Sends the request once more, for no byte of a response is here. What another relay has not touched may always go again;
   * what may have been served, only if that does no harm. False: it may not.
   */
  retry(code: string): boolean {
    const { replay, way, informational } = this.#exchange
    if (!replay || replay.attempts >= retriesMax || informational > 0) return false
    const untouched = way !== undefined && untouchedCodes.has(code)
    if (untouched ? !replay.whole : !replay.idempotent) return false
    replay.attempts += 1
    if (way) replay.avoid.add(way.holder.relayId)
    this.#edge.peers?.forget(this.#host.endpointHost)
    this.#exchange.leave()
    const { head } = replay
    this.#edge.scanner.scanRequest(head, 0, head.length)
    this.#decide(head, 0, head.length, replay.admitted ? 'passes' : undefined)
    return true
  }

  /** Opens the tunnel's stream, at once or when its policy is content. */
  #admit({ session, policy }: TunnelSession, buffer: Buffer, start: number, end: number): void {
    const open = (held?: HeldBody): void => this.#open(session, buffer, start, end, held)
    const { replay } = this.#exchange
    // What is sent once more from here was found right the first time.
    if (policy === undefined || replay?.admitted) {
      this.#open(session, buffer, start, end)
      return
    }
    if (policy.webhook && replay?.attempts) {
      // It came back from another relay, and its body cannot be held any more.
      this.#asker.refuse('SLUICE_TUNNEL_OFFLINE', { endpointHost: this.#host.endpointHost })
      return
    }
    const head = { buffer, start, end }
    const admitted = this.#admission.admits(policy, head, (held) => {
      // Other heads were scanned meanwhile.
      this.#edge.scanner.scanRequest(buffer, start, buffer.length)
      if (session.accepting) open(held)
      else this.#asker.refuse('SLUICE_TUNNEL_OFFLINE', { endpointHost: this.#host.endpointHost })
    })
    if (admitted) open()
  }

  #openConsole(buffer: Buffer, start: number, end: number): void {
    const session = this.#edge.console()
    if (session?.accepting) this.#open(session, buffer, start, end)
    else this.#asker.refuse('SLUICE_RELAY_UNAVAILABLE', {})
  }

  #open(session: Session, buffer: Buffer, start: number, end: number, held?: HeldBody): void {
    const { policy } = this.#exchange.tunnel ?? {}
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
      authorized: policy?.basicAuth !== undefined,
      invited: held !== undefined,
      changes: policy && requestChanges(policy, scanner, buffer),
      visitorIp: this.#host.visitorIp,
      forwarded: this.#exchange.way
        ? this.#host.toPeer(this.#exchange.way.holder.epoch)
        : this.#host.forwarded,
    })
    if (length === undefined) {
      this.#asker.refuse('SLUICE_REQUEST_HEAD_TOO_LARGE', { max: headBytesMax })
      return
    }
    if (this.#exchange.tunnel && edge.records(this.#exchange.tunnel, this.#exchange.startedMs)) {
      this.#exchange.record = recordRequest(
        scanner,
        buffer,
        start,
        this.#host.endpointHost,
        this.#host.visitorIp,
        this.#socket.http2,
      )
      if (this.#exchange.tunnel.claims.captureBodies === true) {
        this.#exchange.record.bodies = new CapturedBytes()
      }
    }
    const { replay, requestKind } = this.#exchange
    const again = replay !== undefined && replay.attempts > 0
    if (replay && this.#exchange.tunnel) replay.admitted = true
    if (!again && !held) this.#body.start(scanner, requestKind)
    // Bytes behind an upgrade wait for its answer.
    const ended = requestKind === 'none' && this.#exchange.upgrade === ''
    const compressed = policy?.compression ? this.#compressed(buffer) : undefined
    const events = compressed ?? this.#asker.answer
    const stream = session.openStream(events, scratch, 0, length, ended)
    const inner = paced(stream, this.#exchange.tunnel?.limits)
    this.#exchange.stream = compressed ? compressed.over(inner) : inner
    if (requestKind === 'none') return
    if (held) {
      this.#exchange.stream.data(held.bytes, held.trailers === undefined)
      if (held.trailers) this.#exchange.stream.end(held.trailers)
    } else if (again) {
      replay.resend(this.#exchange.stream)
      this.#asker.resume()
    } else this.#asker.readBody()
  }

  #compressed(buffer: Buffer): CompressedStream {
    const { scanner, compressors, held } = this.#edge
    return new CompressedStream({
      owner: this.#asker.answer,
      accepted: acceptedOf(scanner, buffer),
      toHead: this.#exchange.toHead,
      scanner,
      budget: compressors,
      flush: () => held.flush(),
    })
  }

  #redirects(buffer: Buffer): boolean {
    if (this.#edge.redirectPort === undefined || this.#host.tls) return false
    return !isChallenge(this.#edge.scanner, buffer)
  }

  #redirect(buffer: Buffer): void {
    const { scanner, redirectPort: httpsPort = 443 } = this.#edge
    const { endpointHost } = this.#host
    if (!this.#exchange.requestEnded) this.#exchange.keepAlive = false
    const address = httpsAddress(scanner, buffer, { endpointHost, httpsPort })
    this.#asker.answerWith(permanentRedirect(address, this.#exchange))
  }
}

/** What the owner wants changed, and our own cookie taken out where there may be one. */
function requestChanges(
  { requestHeaders, interstitial }: CompiledPolicy,
  scanner: HeadScanner,
  buffer: Buffer,
): HeaderChanges | undefined {
  return interstitial ? withoutVisitCookie(scanner, buffer, requestHeaders) : requestHeaders
}

/** Whether the request leaves in the same turn, as most do. */
function goesAtOnce(route: Route): boolean {
  if (route.kind !== 'tunnel') return false
  const { policy, pool } = route.tunnel
  // Of a policy, only the check of a webhook's signature has to wait: for the body.
  return policy?.webhook === undefined && pool === undefined
}
