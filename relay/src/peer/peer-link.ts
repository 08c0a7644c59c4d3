import type { Socket } from 'node:net'

import {
  Forwarder,
  Heartbeat,
  type HeartbeatIo,
  type Session,
  type UpstreamAddress,
} from '@sluice/wire'

import { openMemoryLink, type MemoryLink } from '../memory-link.ts'

/** What the network says of a relay that is not there. Other errors are our own, or tell that it is. */
const awayCodes = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])

export interface PeerLinkOptions {
  readonly name: string
  readonly upstream: UpstreamAddress
  /** How long a connection for requests may take to come about. */
  readonly connectTimeoutMs: number
  /** Opens a connection for requests. */
  readonly dial: () => Socket
  /** Opens one that a living relay closes as soon as it has read what it is for. */
  readonly ask: () => Socket
  readonly clock: HeartbeatIo
  readonly onChunkEnd: () => void
  /** The relay is silent: what is under way will never be answered. Called at most once. */
  readonly onSilent: () => void
}

/**
 * Requests to one other relay. While there are some, it has to show life as an agent's session has: an upstream may be
 * silent for as long as it likes, so the relay is asked beside the requests, once for all of them. It is given up 20 to 25 s
 * after the last byte that it sent on any connection.
 */
export class PeerLink {
  readonly #options: PeerLinkOptions
  readonly #link: MemoryLink
  /** The connections for requests, and how many bytes had come on each. */
  readonly #bytesRead: Map<Socket, number>
  #heartbeat: Heartbeat | undefined
  #asking: Socket | undefined

  private constructor(options: PeerLinkOptions, link: MemoryLink, bytesRead: Map<Socket, number>) {
    this.#options = options
    this.#link = link
    this.#bytesRead = bytesRead
  }

  static async open(options: PeerLinkOptions): Promise<PeerLink> {
    const bytesRead = new Map<Socket, number>()
    const forwarder = new Forwarder({
      upstream: options.upstream,
      hostHeader: 'preserve',
      connectTimeoutMs: options.connectTimeoutMs,
      betweenPolls: true,
      dial() {
        const socket = options.dial()
        bytesRead.set(socket, 0)
        return socket.once('close', () => bytesRead.delete(socket))
      },
    })
    const link = await openMemoryLink(options.name, forwarder, options.onChunkEnd)
    return new PeerLink(options, link, bytesRead)
  }

  /** A session that takes streams, or soon will. */
  session(): Session {
    return this.#link.session()
  }

  /** Requests are about to go this way: asks for signs of life until there are none. */
  watch(): void {
    if (this.#heartbeat) return
    const { clock, onSilent } = this.#options
    this.#heartbeat = new Heartbeat(
      {
        now: () => clock.now(),
        setTimer: (callback, delayMs) => clock.setTimer(() => this.#beat(callback), delayMs),
      },
      () => this.#ask(),
      onSilent,
    )
  }

  close(): void {
    this.#heartbeat?.stop()
    this.#stopAsking()
    this.#link.close()
  }

  #beat(goOn: () => void): void {
    this.#stopAsking()
    if (this.session().streamCount === 0) {
      this.#heartbeat = undefined
      return
    }
    if (this.#hasRead()) this.#heartbeat?.hear()
    goOn()
  }

  /** Whether bytes have come since it was asked last: a relay with much to send may be slow to take a connection. */
  #hasRead(): boolean {
    let more = false
    for (const [socket, before] of this.#bytesRead) {
      if (socket.bytesRead === before) continue
      more = true
      this.#bytesRead.set(socket, socket.bytesRead)
    }
    return more
  }

  #ask(): void {
    const socket = this.#options.ask()
    this.#asking = socket
    const hear = (): void => {
      if (this.#asking !== socket) return
      this.#stopAsking()
      this.#heartbeat?.hear()
    }
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (awayCodes.has(error.code ?? '') && this.#asking === socket) this.#stopAsking()
    })
    socket.on('end', hear).on('close', hear).resume()
  }

  #stopAsking(): void {
    const socket = this.#asking
    this.#asking = undefined
    socket?.destroy()
  }
}
