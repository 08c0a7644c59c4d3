import { connect } from 'node:net'

import { isLoopback } from '../localhost.ts'
import type { ProxyOf } from '../proxy.ts'

/** An address of a relay, and where it stands. */
export interface Edge {
  readonly url: string
  readonly region: string
}

/** How long it takes to reach an edge in milliseconds; undefined when it does not answer in time. */
type Probe = (edgeUrl: string, signal: AbortSignal) => Promise<number | undefined>

export interface EdgesOptions {
  readonly proxyOf?: ProxyOf | undefined
  readonly probe?: Probe
}

const probeMsMax = 1_000
/** Edges no further off than this, or this much of the best, are as good as it: their order is the server's, by load. */
const equalMs = 5
const equalShare = 0.25

/**
 * The relays that a session may dial, tried one after the other. Those of the first one's region are put into the order of
 * their latency; the others are for when all of these fail, in the order of the server.
 */
export class Edges {
  readonly #options: EdgesOptions
  #offered: readonly Edge[]
  /** Undefined: to be measured. */
  #ordered: readonly Edge[] | undefined
  #next = 0

  constructor(offered: readonly Edge[], options: EdgesOptions = {}) {
    this.#offered = offered
    this.#options = options
  }

  /** The server names other relays now. An empty list is none: it could not tell. */
  offer(offered: readonly Edge[]): void {
    if (offered.length === 0 || isSame(offered, this.#offered)) return
    this.#offered = offered
    this.#ordered = undefined
    this.#next = 0
  }

  /** The address to dial now. */
  async take(signal: AbortSignal): Promise<string> {
    this.#ordered ??= await this.#measured(signal)
    return this.#ordered[this.#next % this.#ordered.length]?.url ?? ''
  }

  /** The one that was taken does not do: the next is another one. After the last they are measured anew. */
  pass(): void {
    this.#next += 1
    if (this.#ordered && this.#next < this.#ordered.length) return
    this.#next = 0
    this.#ordered = undefined
  }

  async #measured(signal: AbortSignal): Promise<readonly Edge[]> {
    const [first] = this.#offered
    const near = this.#offered.filter(({ region }) => region === first?.region)
    const far = this.#offered.filter(({ region }) => region !== first?.region)
    if (near.length < 2) return this.#offered
    const measured = await Promise.all(
      near.map(async (edge) => ({ edge, ms: await this.#msTo(edge.url, signal) })),
    )
    const bestMs = Math.min(...measured.map(({ ms }) => ms))
    const goodMs = bestMs + Math.max(equalMs, bestMs * equalShare)
    // Equal ones stay in the order of the server: sorting is stable.
    const sorted = measured.toSorted((a, b) => rankOf(a.ms, goodMs) - rankOf(b.ms, goodMs))
    return [...sorted.map(({ edge }) => edge), ...far]
  }

  async #msTo(edgeUrl: string, signal: AbortSignal): Promise<number> {
    // Behind a proxy every relay looks as far away as the proxy.
    if (this.#options.proxyOf?.(new URL(edgeUrl))) return 0
    const { probe = connectTime } = this.#options
    return (await probe(edgeUrl, signal).catch(() => undefined)) ?? Number.MAX_VALUE
  }
}

function rankOf(ms: number, goodMs: number): number {
  return ms <= goodMs ? 0 : ms
}

function isSame(ones: readonly Edge[], others: readonly Edge[]): boolean {
  const textOf = (edges: readonly Edge[]) => edges.map(({ url }) => url).join(' ')
  return textOf(ones) === textOf(others)
}

/** The time of one TCP handshake, which is a round trip. */
function connectTime(edgeUrl: string, signal: AbortSignal): Promise<number | undefined> {
  const { hostname, port, protocol } = new URL(edgeUrl)
  const host = isLoopback(hostname) ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, '')
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const startedMs = performance.now()
  const socket = connect({ host, port: Number(port || (protocol === 'wss:' ? 443 : 80)) })
  const end = (ms?: number): void => {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
    resolve(ms)
  }
  const onAbort = (): void => end()
  const timer = setTimeout(onAbort, probeMsMax)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('connect', () => end(performance.now() - startedMs))
  socket.once('error', onAbort)
  return promise
}
