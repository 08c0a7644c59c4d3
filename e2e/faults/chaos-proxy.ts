import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** What happens to bytes on their way; changed while they flow. */
export interface Chaos {
  /** Each piece arrives so much later. */
  latencyMs: number
  /** Pieces are no larger than this; 0: as they come. */
  sliceBytes: number
  bytesPerSecond: number
  /** Bytes vanish, and so do connections: nobody hears of an end. */
  blackhole: boolean
}

const calm: Chaos = { latencyMs: 0, sliceBytes: 0, bytesPerSecond: Infinity, blackhole: false }

/** A network between two processes that does what it is told. */
export class ChaosProxy implements AsyncDisposable {
  readonly chaos: Chaos = { ...calm }
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))

  constructor(target: number) {
    this.#target = target
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  get connections(): number {
    return this.#sockets.size / 2
  }

  /** What was swallowed stays lost; new connections are as good as any. */
  heal(): void {
    Object.assign(this.chaos, calm)
  }

  /** Ends all connections as a crashed router would. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #accept(socket: Socket): void {
    const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true })
    for (const one of [socket, far]) {
      this.#sockets.add(one)
      one.on('error', () => undefined)
      one.once('close', () => this.#sockets.delete(one))
    }
    void this.#carry(socket, far)
    void this.#carry(far, socket)
  }

  async #carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from) {
        for (const piece of this.#slices(chunk)) await this.#pass(piece, to)
      }
      if (!this.chaos.blackhole) to.end()
    } catch {
      // A reset on one side is one on the other.
      if (!this.chaos.blackhole) to.resetAndDestroy()
    }
  }

  #slices(chunk: Buffer): Buffer[] {
    const { sliceBytes } = this.chaos
    if (sliceBytes === 0) return [chunk]
    const slices: Buffer[] = []
    for (let at = 0; at < chunk.length; at += sliceBytes)
      slices.push(chunk.subarray(at, at + sliceBytes))
    return slices
  }

  async #pass(piece: Buffer, to: Socket): Promise<void> {
    const { latencyMs, bytesPerSecond } = this.chaos
    const delayMs = latencyMs + (piece.length / bytesPerSecond) * 1_000
    if (delayMs >= 1) await new Promise((resolve) => setTimeout(resolve, delayMs))
    if (this.chaos.blackhole || to.destroyed) return
    if (!to.write(piece)) await Promise.race([once(to, 'drain'), once(to, 'close')])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
