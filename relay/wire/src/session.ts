import { Carrier } from './carrier.ts'
import { closeCode } from './close-code.ts'
import { DatagramQueue, encodeDatagram, parseDatagram, type Datagram } from './datagram.ts'
import { FrameDecoder, frameFlag, frameType, type FrameSink } from './frame.ts'
import { HeadParts } from './head-parts.ts'
import { Heartbeat } from './heartbeat.ts'
import {
  helloTimeoutMs,
  protocolVersions,
  sessionWindowBytes,
  streamsMax,
  streamWindowBytes,
} from './limits.ts'
import {
  encodeMessage,
  parseAgentToken,
  parseCredit,
  parseGoAway,
  parseHello,
  parsePolicy,
  parseRefusal,
  parseWelcome,
  type Details,
  type GoAway,
  type Hello,
  type Policy,
  type Welcome,
} from './message.ts'
import type { SessionEvents, SessionIo, SessionWindows } from './session-io.ts'
import { TunnelStream, unowned, type StreamEvents } from './stream.ts'
import { ProtocolViolation } from './violation.ts'

type State = 'greeting' | 'verifying' | 'open' | 'closed'

const none = Buffer.alloc(0)

/** One end of a session: streams, credit, order and heartbeat, without a socket or clock of its own. */
export class Session implements FrameSink {
  readonly role: 'relay' | 'agent'
  readonly #io: SessionIo
  readonly #events: SessionEvents
  readonly #decoder = new FrameDecoder(this)
  readonly #windows: SessionWindows
  #state: State = 'greeting'
  #goneAway = false
  /** To be said after WELCOME: before it, the peer would take it for a violation. */
  #goAwayLater: GoAway | undefined
  #version = 0

  readonly #carrier: Carrier
  readonly #headParts = new HeadParts()
  readonly #heartbeat: Heartbeat
  /** There once the first datagram is sent. */
  #datagrams: DatagramQueue | undefined
  #cancelHello: () => void

  constructor(
    role: 'relay' | 'agent',
    io: SessionIo,
    events: SessionEvents,
    windows: SessionWindows = { streamWindowBytes, sessionWindowBytes },
  ) {
    this.role = role
    this.#io = io
    this.#events = events
    this.#windows = windows
    this.#cancelHello = io.setTimer(() => {
      if (this.#state !== 'open') this.close(closeCode.helloTimeout, 'no hello in time')
    }, helloTimeoutMs)
    this.#carrier = new Carrier(io, windows, () => this.#datagrams?.fill())
    this.#heartbeat = new Heartbeat(
      io,
      (payload) => this.#carrier.outbox.control(frameType.ping, 0, payload),
      () => this.close(closeCode.helloTimeout, 'the peer is silent', true),
    )
  }

  get streamCount(): number {
    return this.#carrier.streams.size
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  /** Whether all that was sent has been drained at the other end, and is acknowledged. */
  get creditReturned(): boolean {
    return this.#carrier.sender.creditReturned
  }

  /** Whether new streams may be opened. */
  get accepting(): boolean {
    return this.#state === 'open' && !this.#goneAway && this.#carrier.streams.size < streamsMax
  }

  /** The version both sides speak; 0 before WELCOME. */
  get version(): number {
    return this.#version
  }

  /** Datagrams given up because the link was full. */
  get datagramsDropped(): number {
    return this.#datagrams?.dropped ?? 0
  }

  // Handshake

  /** The agent's first word. */
  hello(agentToken: string, agentVersion: string, features: readonly string[] = []): void {
    const hello: Hello = {
      versions: protocolVersions,
      features,
      agentToken,
      agentVersion,
      ...this.#windows,
    }
    this.#carrier.outbox.control(frameType.hello, 0, encodeMessage(hello))
  }

  /** The relay accepts; from now on streams may be opened. */
  welcome(hello: Hello, welcome: Omit<Welcome, keyof SessionWindows>): void {
    if (this.#state !== 'verifying') return
    this.#open(hello, welcome.version)
    const message: Welcome = { ...welcome, ...this.#windows }
    this.#carrier.outbox.control(frameType.welcome, 0, encodeMessage(message))
    if (this.#goAwayLater) this.goAway(this.#goAwayLater)
  }

  /** Tells the agent why it is over, and closes. */
  refuse(code: string, details: Details, closeWith: number): void {
    if (this.#state === 'closed') return
    this.#carrier.outbox.control(frameType.refuse, 0, encodeMessage({ code, details }))
    this.close(closeWith, code)
  }

  renewToken(agentToken: string): void {
    this.#carrier.outbox.control(frameType.token, 0, encodeMessage({ agentToken }))
  }

  policy(policy: Policy): void {
    this.#carrier.outbox.control(frameType.policy, 0, encodeMessage(policy))
  }

  /** Asks the agent for a fresh token. False: it speaks version 1, and renews in its own time. */
  renew(): boolean {
    if (this.#version < 2) return false
    this.#carrier.outbox.control(frameType.renew, 0, encodeMessage({}))
    return true
  }

  goAway(goAway: GoAway): void {
    if (this.#state === 'closed') return
    if (this.#state !== 'open') {
      this.#goAwayLater = goAway
      return
    }
    // A relay serves on until the agent has a session elsewhere: then the agent goes away, or this one closes.
    if (this.role === 'agent') this.#goneAway = true
    this.#carrier.outbox.control(frameType.goAway, 0, encodeMessage(goAway))
  }

  // The link

  receive(chunk: Buffer, start = 0, end = chunk.length): void {
    if (this.#state === 'closed') return
    this.#heartbeat.hear()
    try {
      this.#decoder.receive(chunk, start, end)
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error
      this.close(error.closeCode, error.message)
    }
    this.#events.onChunkEnd?.()
  }

  linkDrained(): void {
    this.#carrier.outbox.linkDrained()
  }

  /** Ends the session from our side, or because the link is gone. */
  close(code: number = closeCode.done, reason = 'closed', abrupt = false): void {
    if (this.#state === 'closed') return
    if (!abrupt) this.#carrier.outbox.flush()
    this.#state = 'closed'
    this.#cancelHello()
    this.#heartbeat.stop()
    this.#carrier.stop()
    for (const stream of this.#carrier.streams.all()) {
      stream.close()
      stream.events.onReset('', {})
    }
    this.#headParts.clear()
    this.#io.close(code, abrupt)
    this.#events.onClose(reason)
  }

  // Streams

  /** Opens a stream with an OPEN payload. Only the relay opens. */
  openStream(
    events: StreamEvents,
    payload: Buffer,
    start: number,
    end: number,
    ended: boolean,
  ): TunnelStream {
    const carrier = this.#carrier
    const id = carrier.freeStreamId()
    const stream = new TunnelStream(id, carrier, carrier.sender.streamWindowBytes, events)
    carrier.streams.add(stream)
    stream.head(frameType.open, payload, start, end, ended)
    return stream
  }

  /** Sends a datagram if the link takes it soon, else drops it or an older one. Not in sessions of version 1. */
  datagram(datagram: Datagram): void {
    if (this.#state !== 'open' || this.#version < 2) return
    this.#datagrams ??= new DatagramQueue(this.#carrier.outbox, () => this.#io.now())
    this.#datagrams.push(encodeDatagram(datagram))
  }

  // FrameSink

  onData(streamId: number, piece: Buffer, ended: boolean): void {
    if (this.#state !== 'open') throw new ProtocolViolation('DATA before WELCOME')
    this.#carrier.credit.received(piece.length)
    const stream = this.#carrier.streams.get(streamId)
    if (!stream) {
      this.#carrier.credit.returned(piece.length)
      return
    }
    this.#carrier.credit.held(stream, piece.length)
    // First, so that what the owner drains at once is owed to the session alone, and that it sees whether all is over.
    if (ended) stream.endRemote()
    const { events } = stream
    events.onData(events.borrows ? piece : Buffer.from(piece), ended)
  }

  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) this.#onStreamFrame(type, flags, streamId, payload)
    else if (type === frameType.credit) this.#carrier.sender.onSessionCredit(parseCredit(payload))
    else if (type === frameType.ping) this.#carrier.outbox.control(frameType.pong, 0, payload)
    else if (type === frameType.pong) this.#onPong(payload)
    else if (type === frameType.datagram) this.#onDatagram(payload)
    else if (this.role === 'relay') this.#onAgentMessage(type, payload)
    else this.#onRelayMessage(type, payload)
  }

  #onAgentMessage(type: number, payload: Buffer): void {
    if (type === frameType.hello) {
      if (this.#state !== 'greeting') throw new ProtocolViolation('a second HELLO')
      const hello = parseHello(payload)
      this.#state = 'verifying'
      this.#events.onHello?.(hello)
      return
    }
    if (this.#state !== 'open') throw new ProtocolViolation('a message before WELCOME')
    if (type === frameType.token) this.#events.onToken?.(parseAgentToken(payload))
    if (type === frameType.goAway) this.#onGoAway(payload)
  }

  #onRelayMessage(type: number, payload: Buffer): void {
    if (type === frameType.refuse) {
      const refusal = parseRefusal(payload)
      this.#events.onRefused?.(refusal)
      this.close(closeCode.done, refusal.code)
      return
    }
    if (type === frameType.welcome) {
      if (this.#state !== 'greeting') throw new ProtocolViolation('a second WELCOME')
      const welcome = parseWelcome(payload)
      if (!protocolVersions.includes(welcome.version)) {
        throw new ProtocolViolation(`version ${welcome.version}, which was not offered`)
      }
      this.#open(welcome, welcome.version)
      this.#events.onWelcome?.(welcome)
      return
    }
    if (this.#state !== 'open') throw new ProtocolViolation('a message before WELCOME')
    if (type === frameType.policy) this.#events.onPolicy?.(parsePolicy(payload))
    if (type === frameType.renew) this.#events.onRenew?.()
    if (type === frameType.goAway) this.#onGoAway(payload)
  }

  #onDatagram(payload: Buffer): void {
    if (this.#state !== 'open') throw new ProtocolViolation('a DATAGRAM before WELCOME')
    // A copy: sockets for datagrams may send them later.
    if (this.#version >= 2) this.#events.onDatagram?.(parseDatagram(Buffer.from(payload)))
  }

  #onGoAway(payload: Buffer): void {
    this.#goneAway = true
    this.#events.onGoAway?.(parseGoAway(payload))
  }

  #onStreamFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (this.#state !== 'open') throw new ProtocolViolation('a stream before WELCOME')
    if (type === frameType.open) {
      this.#onOpen(flags, streamId, payload)
      return
    }
    const stream = this.#carrier.streams.get(streamId)
    // Late frames of a stream that we have closed.
    if (!stream) return
    switch (type) {
      case frameType.head:
        this.#onHead(stream, flags, payload)
        return
      case frameType.end:
        if (stream.remoteEnded) throw new ProtocolViolation('a second END')
        stream.endRemote()
        stream.events.onEnd(payload.length > 0 ? Buffer.from(payload) : none)
        return
      case frameType.reset: {
        const { code, details } = parseRefusal(payload)
        stream.close()
        stream.events.onReset(code, details)
        return
      }
      case frameType.credit:
        this.#carrier.sender.onStreamCredit(stream, parseCredit(payload))
        return
      default:
        throw new ProtocolViolation(`a frame of type ${type} on a stream`)
    }
  }

  #onOpen(flags: number, streamId: number, payload: Buffer): void {
    if (this.role !== 'agent') throw new ProtocolViolation('OPEN from an agent')
    if (this.#carrier.streams.get(streamId)) throw new ProtocolViolation('a stream opened twice')
    const head = this.#headParts.join(streamId, flags, payload)
    if (!head) return
    if (this.#carrier.streams.size >= streamsMax)
      throw new ProtocolViolation('more streams than allowed')
    const stream = new TunnelStream(
      streamId,
      this.#carrier,
      this.#carrier.sender.streamWindowBytes,
      unowned,
    )
    this.#carrier.streams.add(stream)
    const ended = (flags & frameFlag.end) !== 0
    if (ended) stream.remoteEnded = true
    this.#events.onOpen?.(stream, head, ended)
  }

  #onHead(stream: TunnelStream, flags: number, payload: Buffer): void {
    if (this.role !== 'relay') throw new ProtocolViolation('HEAD from a relay')
    if (stream.remoteEnded) throw new ProtocolViolation('HEAD after END')
    const head = this.#headParts.join(stream.id, flags, payload)
    if (!head) return
    const ended = (flags & frameFlag.end) !== 0
    if (ended) stream.remoteEnded = true
    const { events } = stream
    events.onHead(events.borrows ? head : Buffer.from(head), (flags & frameFlag.own) !== 0)
    if (ended && !stream.cut) {
      stream.endRemote()
      events.onEnd(none)
    }
  }

  #open(peer: SessionWindows, version: number): void {
    this.#state = 'open'
    this.#version = version
    this.#carrier.sender.start(peer)
    this.#cancelHello()
    this.#heartbeat.ping()
  }

  #onPong(payload: Buffer): void {
    const latencyMs = this.#heartbeat.latencyOf(payload)
    if (latencyMs !== undefined) this.#events.onLatency?.(latencyMs)
  }
}
