import { createServer, type Server, type Socket } from 'node:net'

import { refuse } from './raw-visit.ts'

/** How long a visitor waits for an agent that is away: a reconnect takes less. Then it is closed, without a byte. */
const agentWaitMs = 5_000
/** Visitors of one port who wait at once. */
const waitingMax = 100
const backlog = 512

export interface TcpPortOptions {
  readonly host: string
  readonly port: number
  readonly reusePort?: boolean | undefined
  /** Serves a visitor; false when no agent is there. */
  readonly serve: (socket: Socket) => boolean
}

/** The listener of one `tcp` tunnel. It outlives the sessions of its agent. */
export class TcpPort {
  readonly #options: TcpPortOptions
  readonly #server: Server
  readonly #waiting = new Map<Socket, NodeJS.Timeout>()

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

  /** An agent has come: whoever waited is served. */
  online(): void {
    for (const [socket, timer] of this.#waiting) {
      if (!this.#options.serve(socket)) return
      clearTimeout(timer)
      this.#waiting.delete(socket)
    }
  }

  /** Accepts nobody any more. Connections go on. */
  close(): void {
    this.#server.close()
    for (const [socket, timer] of this.#waiting) {
      clearTimeout(timer)
      refuse(socket)
    }
    this.#waiting.clear()
  }

  #accept(socket: Socket): void {
    if (this.#options.serve(socket)) return
    if (this.#waiting.size >= waitingMax) {
      refuse(socket)
      return
    }
    const leave = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(socket)
    }
    const timer = setTimeout(() => {
      leave()
      socket.destroySoon()
    }, agentWaitMs)
    this.#waiting.set(socket, timer)
    socket.on('error', () => undefined)
    socket.once('close', leave)
  }
}
