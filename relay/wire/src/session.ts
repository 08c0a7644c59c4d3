// oxlint-disable max-lines -- One state machine: cut up, its parts would share all of their private state.
import { closeCode } from './close-code.ts'
import { FrameDecoder, frameFlag, frameType, type FrameSink } from './frame.ts'
import { Heartbeat } from './heartbeat.ts'
import {
  creditBytes,
  creditDelayMs,
  frameBytesMax,
  headBytesMax,
  headRoomBytes,
  helloTimeoutMs,
  protocolVersions,
  sessionWindowBytes,
  streamFloorBytesMax,
  streamsMax,
  streamWindowBytes,
} from './limits.ts'
import {
  encodeMessage,
  parseAgentToken,
  parseGoAway,
  parseHello,
  parsePolicy,
  parseRefusal,
  parseWelcome,
  type Details,
  type GoAway,
  type Hello,
  type Policy,
  type Refusal,
  type Welcome,
} from './message.ts'
import { Outbox } from './outbox.ts'
import { TunnelStream, type StreamCarrier, type StreamEvents } from './stream.ts'
import { ProtocolViolation } from './violation.ts'

/** Everything a session needs of the world, so that a simulator can be the world. */
export interface SessionIo {
  /** Monotonic milliseconds. */
  now(): number
  /** Runs once, later; returns what cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void
  /** Runs at the end of this event-loop turn. */
  defer(callback: () => void): void
  /** Sends one message. `parts[0]` starts with `messageHeadroomBytes` free bytes. False: wait for `linkDrained`. */
  send(parts: Buffer[], payloadBytes: number): boolean
  /** Closes the link; `abrupt` without waiting for what was sent. */
  close(code: number, abrupt: boolean): void
}

export interface SessionEvents {
  onHello?(hello: Hello): void
  onWelcome?(welcome: Welcome): void
  onRefused?(refusal: Refusal): void
  onToken?(agentToken: string): void
  onPolicy?(policy: Policy): void
  onGoAway?(goAway: GoAway): void
  onLatency?(ms: number): void
  /** The relay opened a stream. Set `stream.events` before returning. */
  onOpen?(stream: TunnelStream, payload: Buffer, ended: boolean): void
  /** All frames of a chunk were handled. */
  onChunkEnd?(): void
  /** Once, after which nothing is heard. All streams were reset before. */
  onClose(reason: string): void
}

export interface SessionWindows {
  readonly streamWindowBytes: number
  readonly sessionWindowBytes: number
}

type State = 'greeting' | 'verifying' | 'open' | 'closed'

const none = Buffer.alloc(0)

/** One end of a session: streams, credit, order and heartbeat, without a socket or clock of its own. */
export class Session implements FrameSink, StreamCarrier {
  readonly role: 'relay' | 'agent'
  readonly #io: SessionIo
  readonly #events: SessionEvents
  readonly #decoder = new FrameDecoder(this)
  readonly #windows: SessionWindows
  #state: State = 'greeting'
  #goneAway = false

  readonly #streams = new Map<number, TunnelStream>()
  #nextStreamId = 1
  /** Heads whose MORE frames are still coming. */
  readonly #partialHeads = new Map<number, Buffer[]>()

  // Sending
  readonly #outbox: Outbox
  #peerStreamWindowBytes = 0
  #peerSessionWindowBytes = 0
  #sendCredit = 0
  readonly #ready = new Set<TunnelStream>()
  /** Have something to send, but no credit for it. */
  readonly #starved = new Set<TunnelStream>()

  // Receiving
  #unacknowledgedBytes = 0
  #owedBytes = 0
  readonly #owing = new Set<TunnelStream>()
  #cancelCredit: (() => void) | undefined

  readonly #heartbeat: Heartbeat
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
    this.#outbox = new Outbox(io, () => this.#fill())
    this.#heartbeat = new Heartbeat(
      io,
      (payload) => {
        this.#outbox.rest()
        this.#outbox.control(frameType.ping, 0, payload)
      },
      () => this.close(closeCode.helloTimeout, 'the peer is silent', true),
    )
  }

  get streamCount(): number {
    return this.#streams.size
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  /** Whether new streams may be opened. */
  get accepting(): boolean {
    return this.#state === 'open' && !this.#goneAway && this.#streams.size < streamsMax
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
    this.#outbox.control(frameType.hello, 0, encodeMessage(hello))
  }

  /** The relay accepts; from now on streams may be opened. */
  welcome(hello: Hello, welcome: Omit<Welcome, keyof SessionWindows>): void {
    if (this.#state !== 'verifying') return
    this.#open(hello)
    const message: Welcome = { ...welcome, ...this.#windows }
    this.#outbox.control(frameType.welcome, 0, encodeMessage(message))
  }

  /** Tells the agent why it is over, and closes. */
  refuse(code: string, details: Details, closeWith: number): void {
    if (this.#state === 'closed') return
    this.#outbox.control(frameType.refuse, 0, encodeMessage({ code, details }))
    this.close(closeWith, code)
  }

  renewToken(agentToken: string): void {
    this.#outbox.control(frameType.token, 0, encodeMessage({ agentToken }))
  }

  policy(policy: Policy): void {
    this.#outbox.control(frameType.policy, 0, encodeMessage(policy))
  }

  goAway(goAway: GoAway): void {
    if (this.#state === 'closed') return
    this.#goneAway = true
    this.#outbox.control(frameType.goAway, 0, encodeMessage(goAway))
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
    this.#outbox.linkDrained()
  }

  /** Ends the session from our side, or because the link is gone. */
  close(code: number = closeCode.done, reason = 'closed', abrupt = false): void {
    if (this.#state === 'closed') return
    if (!abrupt) this.#outbox.flush()
    this.#state = 'closed'
    this.#cancelHello()
    this.#heartbeat.stop()
    this.#cancelCredit?.()
    for (const stream of this.#streams.values()) {
      stream.close()
      stream.events.onReset('', {})
    }
    this.#streams.clear()
    this.#partialHeads.clear()
    this.#ready.clear()
    this.#starved.clear()
    this.#owing.clear()
    this.#outbox.stop()
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
    const id = this.#freeStreamId()
    const stream = new TunnelStream(id, this, this.#peerStreamWindowBytes, events)
    this.#streams.set(id, stream)
    stream.head(frameType.open, payload, start, end, ended)
    return stream
  }

  // StreamCarrier

  get open(): boolean {
    return this.#outbox.open
  }

  allowance(stream: TunnelStream): number {
    if (!this.open) return 0
    // No stream may have more in flight than the session has left, but the floor is everybody's: else stuck streams
    // would take what there is, and the next one would get nothing.
    const fair = this.#sendCredit - stream.inFlightBytes
    const floor = floorOf(this.#peerStreamWindowBytes) - stream.inFlightBytes
    const shared = fair > floor ? fair : floor
    const allowed = stream.sendCredit < shared ? stream.sendCredit : shared
    return allowed > 0 ? allowed : 0
  }

  frame(
    typeAndFlags: number,
    stream: TunnelStream,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if ((typeAndFlags & 0x0f) === frameType.data) this.#sendCredit -= end - start
    let at = start
    while (end - at > frameBytesMax) {
      // A part is never the last: END stays off it, and a head says that more comes.
      const type = typeAndFlags & 0x0f
      this.#outbox.append(
        type === frameType.data ? type : type | frameFlag.more,
        stream.id,
        bytes,
        at,
        at + frameBytesMax,
      )
      at += frameBytesMax
    }
    this.#outbox.append(typeAndFlags, stream.id, bytes, at, end)
  }

  enqueue(stream: TunnelStream): void {
    if (this.#starved.has(stream)) return
    this.#ready.add(stream)
    this.#outbox.defer()
  }

  drained(stream: TunnelStream, bytes: number): void {
    stream.undrainedBytes -= bytes
    if (this.#state === 'closed') return
    this.#owedBytes += bytes
    if (!stream.remoteEnded) {
      stream.owedBytes += bytes
      if (stream.owedBytes >= creditBytes) this.#sendStreamCredit(stream)
      else this.#owing.add(stream)
    }
    if (this.#owedBytes >= creditBytes) this.#sendSessionCredit()
    else this.#cancelCredit ??= this.#io.setTimer(() => this.#sendAllCredit(), creditDelayMs)
  }

  reset(stream: TunnelStream, code: string, details: Details): void {
    const payload = code === '' ? none : encodeMessage({ code, details })
    // In order, not as control: it must never come before its own OPEN.
    this.#outbox.append(frameType.reset, stream.id, payload, 0, payload.length)
  }

  forget(stream: TunnelStream): void {
    this.#streams.delete(stream.id)
    this.#ready.delete(stream)
    this.#starved.delete(stream)
    this.#owing.delete(stream)
  }

  // FrameSink

  onData(streamId: number, piece: Buffer, ended: boolean): void {
    if (this.#state !== 'open') throw new ProtocolViolation('DATA before WELCOME')
    this.#unacknowledgedBytes += piece.length
    const { sessionWindowBytes: shared, streamWindowBytes: own } = this.#windows
    if (this.#unacknowledgedBytes > shared + streamsMax * floorOf(own)) {
      throw new ProtocolViolation('DATA beyond the session window')
    }
    const stream = this.#streams.get(streamId)
    if (!stream) {
      this.#returnToSession(piece.length)
      return
    }
    if (stream.remoteEnded) throw new ProtocolViolation('DATA after END')
    stream.undrainedBytes += piece.length
    if (stream.undrainedBytes + stream.owedBytes > this.#windows.streamWindowBytes) {
      throw new ProtocolViolation('DATA beyond the stream window')
    }
    // First, so that what the owner drains at once is owed to the session alone.
    if (ended) stream.remoteEnded = true
    stream.events.onData(piece, ended)
    if (ended) stream.endRemote()
  }

  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) this.#onStreamFrame(type, flags, streamId, payload)
    else if (type === frameType.credit) this.#onSessionCredit(payload)
    else if (type === frameType.ping) this.#outbox.control(frameType.pong, 0, payload)
    else if (type === frameType.pong) this.#onPong(payload)
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
      this.#open(welcome)
      this.#events.onWelcome?.(welcome)
      return
    }
    if (this.#state !== 'open') throw new ProtocolViolation('a message before WELCOME')
    if (type === frameType.policy) this.#events.onPolicy?.(parsePolicy(payload))
    if (type === frameType.goAway) this.#onGoAway(payload)
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
    const stream = this.#streams.get(streamId)
    // Late frames of a stream that we have closed.
    if (!stream) return
    switch (type) {
      case frameType.head:
        this.#onHead(stream, flags, payload)
        return
      case frameType.end:
        if (stream.remoteEnded) throw new ProtocolViolation('a second END')
        stream.remoteEnded = true
        stream.events.onEnd(payload)
        stream.endRemote()
        return
      case frameType.reset: {
        const { code, details } = parseRefusal(payload)
        stream.close()
        stream.events.onReset(code, details)
        return
      }
      case frameType.credit:
        this.#onStreamCredit(stream, creditOf(payload))
        return
      default:
        throw new ProtocolViolation(`a frame of type ${type} on a stream`)
    }
  }

  #onOpen(flags: number, streamId: number, payload: Buffer): void {
    if (this.role !== 'agent') throw new ProtocolViolation('OPEN from an agent')
    if (this.#streams.has(streamId)) throw new ProtocolViolation('a stream opened twice')
    const head = this.#wholeHead(streamId, flags, payload)
    if (!head) return
    if (this.#streams.size >= streamsMax) throw new ProtocolViolation('more streams than allowed')
    const stream = new TunnelStream(streamId, this, this.#peerStreamWindowBytes, unowned)
    this.#streams.set(streamId, stream)
    const ended = (flags & frameFlag.end) !== 0
    if (ended) stream.remoteEnded = true
    this.#events.onOpen?.(stream, head, ended)
  }

  #onHead(stream: TunnelStream, flags: number, payload: Buffer): void {
    if (this.role !== 'relay') throw new ProtocolViolation('HEAD from a relay')
    if (stream.remoteEnded) throw new ProtocolViolation('HEAD after END')
    const head = this.#wholeHead(stream.id, flags, payload)
    if (!head) return
    const ended = (flags & frameFlag.end) !== 0
    if (ended) stream.remoteEnded = true
    stream.events.onHead(head, (flags & frameFlag.own) !== 0)
    if (ended) {
      stream.events.onEnd(none)
      stream.endRemote()
    }
  }

  /** Joins the parts of a head; undefined while more is to come. */
  #wholeHead(streamId: number, flags: number, payload: Buffer): Buffer | undefined {
    const more = (flags & frameFlag.more) !== 0
    if (!more && this.#partialHeads.size === 0) return payload
    const parts = this.#partialHeads.get(streamId) ?? []
    const bytes = parts.reduce((sum, part) => sum + part.length, payload.length)
    if (bytes > headBytesMax + headRoomBytes)
      throw new ProtocolViolation('a head that is too large')
    if (!more) {
      this.#partialHeads.delete(streamId)
      return Buffer.concat([...parts, payload])
    }
    // Heads are sent in one go, so a peer never has many of them half sent.
    if (this.#partialHeads.size >= 64) throw new ProtocolViolation('too many heads half sent')
    this.#partialHeads.set(streamId, [...parts, Buffer.from(payload)])
    return undefined
  }

  #open(peer: SessionWindows): void {
    this.#state = 'open'
    this.#peerStreamWindowBytes = peer.streamWindowBytes
    this.#peerSessionWindowBytes = peer.sessionWindowBytes
    this.#sendCredit = peer.sessionWindowBytes
    this.#cancelHello()
    this.#heartbeat.ping()
  }

  #onPong(payload: Buffer): void {
    const latencyMs = this.#heartbeat.latencyOf(payload)
    if (latencyMs !== undefined) this.#events.onLatency?.(latencyMs)
  }

  #freeStreamId(): number {
    let id = this.#nextStreamId
    while (this.#streams.has(id)) id = id >= 0xffff_ffff ? 1 : id + 1
    this.#nextStreamId = id >= 0xffff_ffff ? 1 : id + 1
    return id
  }

  // Credit

  #onStreamCredit(stream: TunnelStream, bytes: number): void {
    if (bytes > stream.inFlightBytes) throw new ProtocolViolation('credit for what was not sent')
    stream.sendCredit += bytes
    stream.inFlightBytes -= bytes
    this.#wake(stream)
  }

  #onSessionCredit(payload: Buffer): void {
    this.#sendCredit += creditOf(payload)
    if (this.#sendCredit > this.#peerSessionWindowBytes) {
      throw new ProtocolViolation('credit for what was not sent')
    }
    for (const stream of this.#starved) this.#wake(stream)
  }

  #wake(stream: TunnelStream): void {
    if (!this.#starved.delete(stream)) return
    this.#ready.add(stream)
    this.#outbox.defer()
  }

  #returnToSession(bytes: number): void {
    this.#owedBytes += bytes
    if (this.#owedBytes >= creditBytes) this.#sendSessionCredit()
    else this.#cancelCredit ??= this.#io.setTimer(() => this.#sendAllCredit(), creditDelayMs)
  }

  #sendAllCredit(): void {
    this.#cancelCredit = undefined
    for (const stream of this.#owing) this.#sendStreamCredit(stream)
    if (this.#owedBytes > 0) this.#sendSessionCredit()
  }

  #sendStreamCredit(stream: TunnelStream): void {
    this.#owing.delete(stream)
    this.#outbox.control(frameType.credit, stream.id, creditPayload(stream.owedBytes))
    stream.owedBytes = 0
  }

  #sendSessionCredit(): void {
    this.#unacknowledgedBytes -= this.#owedBytes
    this.#outbox.control(frameType.credit, 0, creditPayload(this.#owedBytes))
    this.#owedBytes = 0
  }

  /** One frame from each stream in turn, while the link takes them. */
  #fill(): boolean {
    for (const stream of this.#ready) {
      if (!this.open) break
      this.#ready.delete(stream)
      if (stream.pump()) this.#ready.add(stream)
      // Held back by the turn or the link, it is next in line; by credit, it waits for that.
      else if (stream.queuedFrames > 0 && !stream.closed) {
        if (this.open) this.#starved.add(stream)
        else this.#ready.add(stream)
      }
    }
    return this.#ready.size > 0
  }
}

/** What a stream may always have in flight, however little the session has left. */
function floorOf(windowBytes: number): number {
  return Math.min(streamFloorBytesMax, windowBytes >>> 3)
}

function creditOf(payload: Buffer): number {
  if (payload.length !== 4) throw new ProtocolViolation('a CREDIT of wrong length')
  return payload.readUInt32BE(0)
}

function creditPayload(bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt32BE(bytes)
  return payload
}

/** Until `onOpen` sets the owner. */
const unowned: StreamEvents = {
  onHead() {},
  onData() {},
  onEnd() {},
  onReset() {},
  onResume() {},
}
