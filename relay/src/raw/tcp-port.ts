import { createServer, type Server, type Socket } from 'node:net'

import { refuse } from './raw-visit.ts'

/** How long a visitor waits for an agent that is away: a reconnect takes less. Then it is closed, without a byte. */
const agentWaitMs = 5_000
/** Visitors of one port who wait at once, and as many more where another relay may take them over. */
const waitingMax = 100
const seekingMax = 1_000
/** Before another relay is asked again, twice as long each time. */
const seekAgainMs = 100
const backlog = 512

export interface TcpPortOptions {
  readonly host: string
  readonly port: number
  readonly reusePort?: boolean | undefined
  /** Serves a visitor; false when no agent is here. */
  readonly serve: (socket: Socket) => boolean
  /** Asks the relay that has the agent for a connection; undefined when none has it now. Absent: there are no others. */
  readonly seek?: ((socket: Socket) => Promise<Socket | undefined>) | undefined
  /** The visitor and that connection belong together from now on. */
  readonly join: (socket: Socket, peer: Socket) => void
}

interface Waiting {
  readonly timer: NodeJS.Timeout
  again: NodeJS.Timeout | undefined
  tries: number
  seeking: boolean
}

/** The listener of one `tcp` tunnel. It outlives the sessions of its agent. */
export class TcpPort {
  readonly #options: TcpPortOptions
  readonly #server: Server
  readonly #waiting = new Map<Socket, Waiting>()

  constructor(options: TcpPortOptions) {
    this.#options = options
    // A visitor is not read before an agent takes its bytes.
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.#accept(socket),
    )
  }

  listen(): Promise<void> {
    const { host, port, reusePort = false } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, backlog, reusePort }, () => {
        this.#server.off('error', reject)
        // A failed accept, as for want of descriptors, concerns its visitor alone.
        this.#server.on('error', () => undefined)
        resolve()
      })
    })
  }

  /** An agent has come, here or elsewhere: whoever waited is served. */
  online(): void {
    for (const [socket, waiting] of this.#waiting) {
      if (this.#options.serve(socket)) this.#leave(socket)
      else if (this.#options.seek) void this.#seek(socket, waiting)
      else return
    }
  }

  /** Accepts nobody any more. Connections go on. */
  close(): void {
    this.#server.close()
    for (const socket of this.#waiting.keys()) {
      this.#leave(socket)
      refuse(socket)
    }
  }

  #accept(socket: Socket): void {
    if (this.#options.serve(socket)) return
    const { seek } = this.#options
    if (this.#waiting.size >= waitingMax + (seek ? seekingMax : 0)) {
      refuse(socket)
      return
    }
    const timer = setTimeout(() => {
      this.#leave(socket)
      socket.destroySoon()
    }, agentWaitMs)
    const waiting: Waiting = { timer, again: undefined, tries: 0, seeking: false }
    this.#waiting.set(socket, waiting)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#leave(socket))
    if (seek) void this.#seek(socket, waiting)
  }

  async #seek(socket: Socket, waiting: Waiting): Promise<void> {
    if (waiting.seeking) return
    clearTimeout(waiting.again)
    waiting.seeking = true
    const peer = await this.#options.seek?.(socket).catch(() => undefined)
    waiting.seeking = false
    if (this.#waiting.get(socket) !== waiting) {
      peer?.destroy()
      return
    }
    if (peer) {
      this.#leave(socket)
      this.#options.join(socket, peer)
      return
    }
    waiting.again = setTimeout(
      () => void this.#seek(socket, waiting),
      seekAgainMs * 2 ** waiting.tries,
    )
    waiting.tries += 1
  }

  #leave(socket: Socket): void {
    const waiting = this.#waiting.get(socket)
    clearTimeout(waiting?.timer)
    clearTimeout(waiting?.again)
    this.#waiting.delete(socket)
  }
}
