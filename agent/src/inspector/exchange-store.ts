import type { ExchangeTap } from '@sluice/wire'

/** What an inspector keeps, over all tunnels of the process. The oldest exchange goes first. */
export interface ExchangeLimits {
  readonly exchangesMax: number
  /** Heads and bodies together. */
  readonly keptBytesMax: number
  /** Of one body, or of one direction of a WebSocket. What is beyond is counted and not kept. */
  readonly bodyBytesMax: number
}

export const exchangeLimits: ExchangeLimits = {
  exchangesMax: 500,
  keptBytesMax: 32 * 1024 * 1024,
  bodyBytesMax: 512 * 1024,
}

/** Head fields are kept whole; this stands for everything else that an exchange costs. */
const exchangeOverheadBytes = 1_024

/** One direction of an exchange: the beginning of what passed, and how much it was. */
export interface KeptBody {
  readonly pieces: { readonly atMs: number; readonly bytes: Buffer }[]
  totalBytes: number
  keptBytes: number
}

export interface Exchange {
  readonly id: string
  readonly tunnel: string
  readonly visitor: string
  readonly startedAt: Date
  readonly requestHead: string
  readonly requestBody: KeptBody
  /** Interim heads and the final one. */
  readonly responseHeads: string[]
  readonly responseBody: KeptBody
  /** Set when it is over. */
  durationMs: number | null
  /** Set when there was no response to pass on. */
  code: string | null
  /** The response, or the wait for it, was broken off. */
  isCut: boolean
  /** The exchange that this one repeats. */
  readonly replayOf: string | null
}

export interface ExchangeStore {
  /** What hears the exchanges of one tunnel. `replayOf` marks one that the inspector itself makes. */
  tap(tunnel: string, replayOf?: string): (head: Buffer, visitor: string) => ExchangeTap
  /** The newest first. */
  list(): readonly Exchange[]
  find(id: string): Exchange | undefined
  clear(): void
  /** Called with every exchange that is new, answered or over. Returns what ends it. */
  onChange(listener: (exchange: Exchange) => void): () => void
}

/** Keeps the last exchanges in memory. Nothing waits for it, and nothing of it outlives the process. */
export function createExchangeStore(limits: ExchangeLimits = exchangeLimits): ExchangeStore {
  /** In the order of their beginning. */
  const exchanges = new Map<string, Exchange>()
  const listeners = new Set<(exchange: Exchange) => void>()
  let keptBytes = 0
  let lastId = 0

  function changed(exchange: Exchange): void {
    for (const listener of listeners) listener(exchange)
  }

  function makeRoom(): void {
    for (const exchange of exchanges.values()) {
      const isFull = exchanges.size > limits.exchangesMax || keptBytes > limits.keptBytesMax
      // The newest stays even when it is too large alone: somebody is looking at it.
      if (!isFull || exchanges.size === 1) return
      exchanges.delete(exchange.id)
      keptBytes -= sizeOf(exchange)
    }
  }

  function keep(exchange: Exchange, body: KeptBody, piece: Buffer): void {
    body.totalBytes += piece.length
    const room = limits.bodyBytesMax - body.keptBytes
    // An exchange that was dropped while it goes on is no longer anybody's.
    if (room <= 0 || piece.length === 0 || !exchanges.has(exchange.id)) return
    const kept = Buffer.from(piece.subarray(0, room))
    body.pieces.push({ atMs: Date.now(), bytes: kept })
    body.keptBytes += kept.length
    keptBytes += kept.length
    makeRoom()
  }

  return {
    tap: (tunnel, replayOf) => (head, visitor) => {
      lastId += 1
      const startedMs = performance.now()
      const exchange: Exchange = {
        id: String(lastId),
        tunnel,
        visitor,
        startedAt: new Date(),
        requestHead: head.toString('latin1'),
        requestBody: emptyBody(),
        responseHeads: [],
        responseBody: emptyBody(),
        durationMs: null,
        code: null,
        isCut: false,
        replayOf: replayOf ?? null,
      }
      exchanges.set(exchange.id, exchange)
      keptBytes += sizeOf(exchange)
      makeRoom()
      changed(exchange)
      return {
        onRequestData: (piece) => keep(exchange, exchange.requestBody, piece),
        onResponseHead(response) {
          exchange.responseHeads.push(response.toString('latin1'))
          if (exchanges.has(exchange.id)) keptBytes += response.length
          changed(exchange)
        },
        onResponseData: (piece) => keep(exchange, exchange.responseBody, piece),
        onEnd({ code, cut }) {
          exchange.durationMs = performance.now() - startedMs
          exchange.code = code ?? null
          exchange.isCut = cut
          changed(exchange)
        },
      }
    },
    list: () => [...exchanges.values()].toReversed(),
    find: (id) => exchanges.get(id),
    clear() {
      exchanges.clear()
      keptBytes = 0
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function emptyBody(): KeptBody {
  return { pieces: [], totalBytes: 0, keptBytes: 0 }
}

function sizeOf({ requestHead, responseHeads, requestBody, responseBody }: Exchange): number {
  const heads = responseHeads.reduce((sum, head) => sum + head.length, requestHead.length)
  return exchangeOverheadBytes + heads + requestBody.keptBytes + responseBody.keptBytes
}
