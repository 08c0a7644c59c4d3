import { generateKeyPair } from 'jose'

import type { RelayOptions } from '../server.ts'
import { createWorld, type World } from './world.ts'

/** Relays that share Redis, keys and peer secret, each with agents of its own. */
export class Relays implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly #redisUrl: string
  readonly #keys = generateKeyPair('EdDSA', { crv: 'Ed25519' })
  /** Tests run beside each other on one Redis: what they say to relays is for their own alone. */
  readonly #mark = crypto.randomUUID().slice(0, 8)

  constructor(redisUrl: string) {
    this.#redisUrl = redisUrl
  }

  async start(name: string, options: Partial<RelayOptions> = {}): Promise<World> {
    const world = await createWorld(
      {
        relayId: `${name}-${this.#mark}`,
        redisUrl: this.#redisUrl,
        peer: { host: '127.0.0.1', port: 0, secret: `secret of ${this.#mark}` },
        ...options,
      },
      this.#keys,
    )
    return this.#stack.use(world)
  }

  /** Claims of a tunnel that no other test has. */
  claims(name = 'app') {
    const tunnelId = `${name}-${this.#mark}`
    return { tunnelId, endpointHosts: [`${tunnelId}.tunnel.test`] }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
