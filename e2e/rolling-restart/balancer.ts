import { once } from 'node:events'
import { get } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'

const lookMs = 100

interface Backend {
  readonly port: number
  readonly adminPort: number
}

/** A balancer as operators have one: TCP, new connections to relays that say they are ready, round robin. */
export class Balancer implements AsyncDisposable {
  readonly #server: Server
  readonly #backends: readonly Backend[]
  readonly #ready = new Set<Backend>()
  readonly #sockets = new Set<Socket>()
  readonly #timer: NodeJS.Timeout
  #next = 0
  /** Connections for which no relay was ready. */
  unserved = 0

  constructor(backends: readonly Backend[]) {
    this.#backends = backends
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
    this.#timer = setInterval(() => {
      for (const backend of backends) void this.#look(backend)
    }, lookMs)
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    await Promise.all(this.#backends.map((backend) => this.#look(backend)))
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  async #look(backend: Backend): Promise<void> {
    const ready = await isReady(backend.adminPort)
    if (ready) this.#ready.add(backend)
    else this.#ready.delete(backend)
  }

  #accept(visitor: Socket): void {
    const ready = [...this.#ready]
    const backend = ready[(this.#next += 1) % ready.length]
    if (!backend) {
      this.unserved += 1
      visitor.destroy()
      return
    }
    const relay = connect({ port: backend.port, host: '127.0.0.1', allowHalfOpen: true })
    for (const socket of [visitor, relay]) {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
    }
    visitor.pipe(relay)
    relay.pipe(visitor)
    relay.once('close', () => visitor.destroySoon())
    visitor.once('close', () => relay.destroySoon())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function isReady(adminPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port: adminPort, host: '127.0.0.1', path: '/readyz', timeout: 1_000 })
    request.once('response', (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.once('error', () => resolve(false))
  })
}
