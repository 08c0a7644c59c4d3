import { Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'

import {
  findNodeStreams,
  handleOf,
  type NodeStreams,
  type StreamHandle,
  type WriteRequest,
} from './node-streams.ts'
import { SlabPool, readBytes, slabBytes, type Slab } from './slab.ts'

/** Views of what was read, kept by length: requests of one kind are of one length. */
const viewsKept = 64

export interface DirectSocketsOptions {
  /** Overwrites what was read as soon as it was handled, so that tests see who keeps it. */
  readonly scrub?: boolean
}

/**
 * The short way to TCP sockets: reads go into one buffer of the process instead of a fresh one each, and writes go to the
 * kernel without a stream's state machine in between, which also tells at once what it took. A socket that has no such way
 * (TLS, memory, another Node) is used as it is.
 */
export class DirectSockets {
  readonly slabs = new SlabPool()
  /** For reads that have to wait. */
  readonly chunks = new SlabPool(readBytes)
  readonly streams: NodeStreams | undefined = findNodeStreams()
  readonly scrub: boolean
  #buffer: Buffer | undefined
  #handling = false
  #readAtMs = 0
  #readAtUnixMs = 0
  readonly #views: (Buffer | undefined)[] = Array.from({ length: viewsKept })

  constructor({ scrub = false }: DirectSocketsOptions = {}) {
    this.scrub = scrub
  }

  /** Takes over reading and writing of a connected socket. Undefined: it has to be used as it is. */
  open(socket: unknown): DirectSocket | undefined {
    if (!this.streams || !(socket instanceof Socket)) return undefined
    const handle = handleOf(socket)
    return handle && new DirectSocket(socket, handle, this, this.streams)
  }

  /** The instant, by the monotonic clock; while a read is handled, one for all that it brought. */
  nowMs(): number {
    if (!this.#handling) return performance.now()
    if (this.#readAtMs === 0) this.#readAtMs = performance.now()
    return this.#readAtMs
  }

  /** The same by the wall clock. */
  nowUnixMs(): number {
    if (!this.#handling) return Date.now()
    if (this.#readAtUnixMs === 0) this.#readAtUnixMs = Date.now()
    return this.#readAtUnixMs
  }

  /** Has the last read handled. */
  handle(bytes: number, onData: (chunk: Buffer) => void): void {
    this.#readAtMs = 0
    this.#readAtUnixMs = 0
    this.#handling = true
    try {
      onData(this.#view(bytes))
    } finally {
      this.#handling = false
    }
    if (this.scrub) this.buffer.fill(0xdd, 0, bytes)
  }

  get buffer(): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(readBytes)
    return this.#buffer
  }

  #view(bytes: number): Buffer {
    const index = bytes % viewsKept
    const kept = this.#views[index]
    if (kept?.length === bytes) return kept
    const view = this.buffer.subarray(0, bytes)
    this.#views[index] = view
    return view
  }
}

function ignore(): void {}

type Listener = (() => void) | ((chunk: Buffer) => void) | ((error: Error) => void)

/**
 * A TCP socket whose bytes take the short way. Connecting, ending, errors and closing stay those of the socket beneath.
 * What `data` brings is valid during the call only: copy what must outlive it.
 */
export class DirectSocket {
  readonly socket: Socket
  readonly #handle: StreamHandle
  readonly #sockets: DirectSockets
  readonly #streams: NodeStreams
  /** Used for every write, until one has to wait and keeps it. */
  #request: WriteRequest
  #early: Buffer | undefined
  #paused = false
  #onData: (chunk: Buffer) => void = ignore
  #onDrain: readonly (() => void)[] = []
  /** Written, but not yet taken by the kernel. */
  waitingBytes = 0

  constructor(socket: Socket, handle: StreamHandle, sockets: DirectSockets, streams: NodeStreams) {
    this.socket = socket
    this.#handle = handle
    this.#sockets = sockets
    this.#streams = streams
    this.#request = new streams.WriteWrap()
    const early: unknown = socket.read()
    if (Buffer.isBuffer(early)) this.unshift(early)
    // The end of the stream and errors remain Node's to handle.
    const { onread: pass } = handle
    const { streamState, readBytesOrError } = streams
    handle.useUserBuffer(sockets.buffer)
    handle.onread = (arrayBuffer) => {
      const outcome = streamState[readBytesOrError] as number
      if (outcome > 0) sockets.handle(outcome, this.#onData)
      else pass.call(handle, arrayBuffer)
    }
    this.#startReading()
  }

  on(event: 'data', listener: (chunk: Buffer) => void): this
  on(event: 'drain' | 'end' | 'error' | 'close', listener: () => void): this
  on(event: 'error', listener: (error: Error) => void): this
  on(event: string, listener: Listener): this {
    if (event === 'data') this.#onData = listener as (chunk: Buffer) => void
    else if (event === 'drain') this.#onDrain = [...this.#onDrain, listener as () => void]
    else this.socket.on(event, listener)
    return this
  }

  off(event: 'data', listener: (chunk: Buffer) => void): this
  off(event: 'drain' | 'end' | 'error' | 'close', listener: () => void): this
  off(event: string, listener: Listener): this {
    if (event === 'data') this.#onData = ignore
    else if (event === 'drain') this.#onDrain = this.#onDrain.filter((one) => one !== listener)
    else this.socket.off(event, listener)
    return this
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress
  }

  get bytesRead(): number {
    return this.socket.bytesRead
  }

  get bytesWritten(): number {
    return this.socket.bytesWritten
  }

  get writableLength(): number {
    return this.waitingBytes
  }

  get writableNeedDrain(): boolean {
    return this.waitingBytes > 0
  }

  // Reading

  pause(): void {
    this.#paused = true
    if (!this.#handle.reading || this.socket.destroyed) return
    this.#handle.reading = false
    this.#handle.readStop()
  }

  resume(): void {
    this.#paused = false
    if (this.#early) process.nextTick(() => this.#deliverEarly())
    else this.#startReading()
  }

  /** These bytes come before all others. */
  unshift(bytes: Buffer): void {
    this.#early = this.#early ? Buffer.concat([bytes, this.#early]) : Buffer.from(bytes)
    process.nextTick(() => this.#deliverEarly())
  }

  // Writing

  /** Sends a copy of the bytes. False: some wait, until `drain`. */
  write(bytes: Buffer): boolean {
    const slab = this.#sockets.slabs.take()
    if (bytes.length > slabBytes) {
      // Too much for one slab, and rare: it gets a buffer of its own.
      slab.release()
      return this.send(Buffer.from(bytes))
    }
    bytes.copy(slab.bytes)
    const taken = this.send(slab.bytes.subarray(0, bytes.length), slab)
    slab.release()
    return taken
  }

  /**
   * Sends bytes as they are. If some have to wait, their slab is held until they have gone; without one their owner leaves
   * them alone until nothing waits any more. False: until `drain`.
   */
  send(bytes: Buffer, slab?: Slab): boolean {
    if (this.socket.destroyed || bytes.length === 0) return this.waitingBytes === 0
    const request = this.#request
    const error = this.#handle.writeBuffer(request, bytes)
    if (error !== 0) {
      this.#fail(error)
      return true
    }
    if (this.#streams.streamState[this.#streams.lastWriteWasAsync] === 0) return true
    this.#await(request, bytes, slab)
    return false
  }

  setNoDelay(on: boolean): void {
    this.socket.setNoDelay(on)
  }

  setKeepAlive(on: boolean, initialDelayMs: number): void {
    this.socket.setKeepAlive(on, initialDelayMs)
  }

  /** Ends our half behind what was written. */
  end(): void {
    this.socket.end()
  }

  destroy(error?: Error): void {
    this.socket.destroy(error)
  }

  resetAndDestroy(): void {
    this.socket.resetAndDestroy()
  }

  #startReading(): void {
    if (this.#handle.reading || this.#paused || this.#early || this.socket.destroyed) return
    this.#handle.reading = true
    this.#handle.readStart()
  }

  #deliverEarly(): void {
    const early = this.#early
    if (!early || this.#paused || this.socket.destroyed) return
    this.#early = undefined
    this.#onData(early)
    this.#startReading()
  }

  /** libuv holds the request and the bytes until the kernel has them. */
  #await(request: WriteRequest, bytes: Buffer, slab: Slab | undefined): void {
    this.#request = new this.#streams.WriteWrap()
    const waiting = bytes.length
    this.waitingBytes += waiting
    slab?.hold()
    request.buffer = bytes
    request.oncomplete = (status) => {
      this.waitingBytes -= waiting
      slab?.release()
      if (this.socket.destroyed) return
      if (status < 0) this.#fail(status)
      else if (this.waitingBytes === 0) for (const listener of this.#onDrain) listener()
    }
  }

  #fail(error: number): void {
    const code = getSystemErrorName(error)
    this.socket.destroy(Object.assign(new Error(`write ${code}`), { code, errno: error }))
  }
}
