import { Socket } from 'node:net'

import { chunkSizeLine } from '../http/chunked.ts'
import type { DirectSocket, DirectSockets } from '../socket/direct-socket.ts'
import { resetSocket } from './reset-socket.ts'

/** What exchanges need of their way to the upstream: a connection of its own, or something that behaves like one. */
export interface UpstreamSocket {
  once(event: 'connect' | 'secureConnect', listener: () => void): unknown
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'drain' | 'end' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  /** Bytes that no system call has taken yet, where that is known. */
  readonly writableLength?: number
  write(bytes: Buffer): boolean
  pause(): unknown
  resume(): unknown
  end(): unknown
  destroy(): unknown
  /** Where there is one: a socket of TCP has. */
  resetAndDestroy?(): unknown
}

export interface UpstreamBytesEvents {
  onConnect(): void
  /** Bytes that hold during the call only. */
  onBytes(chunk: Buffer): void
  /** Everything written has gone. */
  onDrain(): void
  onUpstreamEnd(): void
  /** An error, or the end of the connection; may come twice. */
  onGone(reason: string): void
}

/** The bytes of one upstream connection: by the short way once it is open, or by the socket as it is where there is none. */
export class UpstreamBytes {
  readonly #socket: UpstreamSocket
  readonly #sockets: DirectSockets
  #direct: DirectSocket | undefined
  #paused = false

  constructor(
    socket: UpstreamSocket,
    secure: boolean,
    sockets: DirectSockets,
    events: UpstreamBytesEvents,
  ) {
    this.#socket = socket
    this.#sockets = sockets
    const onData = (chunk: Buffer): void => events.onBytes(chunk)
    const onDrain = (): void => events.onDrain()
    const open = (): void => {
      events.onConnect()
      this.#direct = sockets.open(socket)
      if (this.#direct) this.#direct.on('data', onData).on('drain', onDrain)
      if (this.#direct && this.#paused) this.#direct.pause()
    }
    if (socket instanceof Socket && !secure && !socket.connecting) open()
    else socket.once(secure ? 'secureConnect' : 'connect', open)
    // Where there is a short way, nothing comes by this one.
    socket.on('data', onData)
    socket.on('drain', onDrain)
    socket.on('end', () => events.onUpstreamEnd())
    socket.on('error', (error) => events.onGone(error.code ?? error.message))
    socket.on('close', () => events.onGone('closed'))
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Something written is still on its way to the kernel. */
  get waiting(): boolean {
    return this.#direct?.writableNeedDrain ?? (this.#socket.writableLength ?? 0) > 0
  }

  /** Sends a copy. False: some of it waits, until `onDrain`. */
  write(bytes: Buffer): boolean {
    const direct = this.#ready()
    return direct ? direct.write(bytes) : this.#socket.write(Buffer.from(bytes))
  }

  /** Sends bytes that their owner leaves alone while anything waits. */
  writeKept(bytes: Buffer): boolean {
    const direct = this.#ready()
    return direct ? direct.send(bytes) : this.#socket.write(Buffer.from(bytes))
  }

  /** Sends a piece as a chunk of its own. */
  writeChunk(piece: Buffer): boolean {
    const slab = this.#sockets.slabs.take()
    let end = slab.bytes.write(chunkSizeLine(piece.length), 'latin1')
    end += piece.copy(slab.bytes, end)
    end += slab.bytes.write('\r\n', end, 'latin1')
    const chunk = slab.bytes.subarray(0, end)
    const direct = this.#ready()
    const taken = direct ? direct.send(chunk, slab) : this.#socket.write(Buffer.from(chunk))
    slab.release()
    return taken
  }

  pause(): void {
    this.#paused = true
    if (this.#direct) this.#direct.pause()
    else this.#socket.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#direct) this.#direct.resume()
    else this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Ends the connection so that the upstream sees that it broke. */
  reset(): void {
    if (this.#socket instanceof Socket) resetSocket(this.#socket)
    else if (this.#socket.resetAndDestroy) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  /** The short way, unless what was written before the connection was open has not gone yet. */
  #ready(): DirectSocket | undefined {
    return this.#direct && this.#socket.writableLength === 0 ? this.#direct : undefined
  }
}
