import type { Slab } from '@sluice/wire'

/**
 * What a visitor's exchanges come on: a connection of its own, or one stream of an HTTP/2 connection (`h2/stream-socket.ts`),
 * which reads and writes the same HTTP/1.1 bytes. Whatever the edge does to a visitor goes through these members, so that
 * it holds for both.
 */
export interface VisitorSocket {
  readonly remoteAddress?: string | undefined
  /** Set on a stream of an HTTP/2 connection. */
  readonly http2?: true
  readonly bytesWritten: number
  /** Of those, what no system call has taken yet. */
  readonly writableLength?: number
  readonly writableNeedDrain: boolean
  /** The bytes may be valid during the call only. */
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'drain' | 'end' | 'error' | 'close', listener: () => void): unknown
  setNoDelay(on: boolean): unknown
  setKeepAlive(on: boolean, initialDelayMs: number): unknown
  pause(): unknown
  resume(): unknown
  write(bytes: Buffer): boolean
  /** Writes a part of a slab, and holds the slab only as long as that takes. */
  send?(bytes: Buffer, slab: Slab): boolean
  end(): unknown
  destroy(): unknown
  resetAndDestroy(): unknown
}

/** An IPv4 address as such, also where the listener takes both kinds. */
export function addressOf(socket: Pick<VisitorSocket, 'remoteAddress'>): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
