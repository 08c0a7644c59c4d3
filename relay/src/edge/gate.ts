import type { Socket } from 'node:net'

export interface GateOptions {
  /** Visitor connections at once. More wait, as they would in the kernel's queue, until others have closed. */
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly connectionsWaitingMax: number
  /** How long one waits. */
  readonly idleTimeoutMs: number
  /** Connections now. */
  readonly count: () => number
  readonly onRefused: (reason: 'address' | 'full') => void
}

type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localPort'>

interface Waiting {
  readonly socket: Socket
  readonly serve: () => void
  readonly sinceMs: number
}

/** Who may come in: so many at once, so many from one address, and the others after them. */
export class Gate {
  readonly #options: GateOptions
  readonly #byAddress = new Map<string, number>()
  /** Connections that count for their address, by both ends of theirs. */
  readonly #counted = new Set<string>()
  /** Oldest first. */
  readonly #waiting = new Set<Waiting>()

  constructor(options: GateOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Serves a connection now or once there is room for it. */
  admit(socket: Socket, serve: () => void): void {
    const address = socket.remoteAddress ?? ''
    const held = this.#byAddress.get(address) ?? 0
    if (held >= this.#options.connectionsPerAddressMax) {
      this.#refuse(socket, 'address')
      return
    }
    const full = this.#waiting.size > 0 || this.#options.count() >= this.#options.connectionsMax
    if (full && this.#waiting.size >= this.#options.connectionsWaitingMax) {
      this.#refuse(socket, 'full')
      return
    }
    const key = keyOf(socket)
    this.#byAddress.set(address, held + 1)
    this.#counted.add(key)
    socket.once('close', () => this.#leave(key, address))
    if (full) this.#wait(socket, serve)
    else serve()
  }

  /** It is no visitor's, but an agent's: those have a limit of their own. */
  release(socket: Ends): void {
    this.#leave(keyOf(socket), socket.remoteAddress ?? '')
  }

  /** Lets in whoever there is room for now, and sends away who has waited for too long. */
  sweep(nowMs: number): void {
    const { count, connectionsMax, idleTimeoutMs } = this.#options
    for (const one of this.#waiting) {
      if (count() < connectionsMax) {
        this.#waiting.delete(one)
        one.serve()
      } else if (nowMs - one.sinceMs >= idleTimeoutMs) one.socket.destroy()
      else return
    }
  }

  close(): void {
    for (const { socket } of this.#waiting) socket.destroy()
  }

  #wait(socket: Socket, serve: () => void): void {
    const one = { socket, serve, sinceMs: performance.now() }
    this.#waiting.add(one)
    // Nobody else listens yet.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#waiting.delete(one))
  }

  #leave(key: string, address: string): void {
    if (!this.#counted.delete(key)) return
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
    // After the others who hear of the end: till then the connection is still counted.
    if (this.#waiting.size > 0) setImmediate(() => this.sweep(performance.now()))
  }

  #refuse(socket: Socket, reason: 'address' | 'full'): void {
    this.#options.onRefused(reason)
    socket.destroy()
  }
}

/** The same for a TCP socket and for the TLS on it. */
function keyOf({ remoteAddress, remotePort, localPort }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localPort}`
}
