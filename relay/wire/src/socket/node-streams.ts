import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/**
 * What Node's sockets stand on, as far as we use it. None of it is a promise of Node's: whatever is not found as described
 * here is left alone, and the socket serves as any other.
 */
export interface StreamHandle {
  /** Kept in step with `readStart` and `readStop` by Node's own sockets. */
  reading: boolean
  /** Called after each read, with the outcome in `streamState`. */
  onread: (this: StreamHandle, arrayBuffer: ArrayBuffer | undefined) => void
  /** From now on reads go into this buffer, and `onread` is called without one. */
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  /** Tries to write at once; what the kernel does not take is written later by way of `request`. 0, or a negative error. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
}

/** Untouched by a write that was done at once, so it serves the next one too. */
export interface WriteRequest {
  /** What is still to be written: nothing else keeps its memory. */
  buffer?: Uint8Array
  oncomplete?: (this: WriteRequest, status: number) => void
}

export interface NodeStreams {
  readonly WriteWrap: new () => WriteRequest
  /** Outcomes of the last call into a handle. */
  readonly streamState: Int32Array
  readonly readBytesOrError: number
  readonly lastWriteWasAsync: number
}

/** Node's stream layer, if this Node has the one we know. */
export function findNodeStreams(): NodeStreams | undefined {
  const load: unknown = Reflect.get(process, 'binding')
  if (typeof load !== 'function') return undefined
  let layer: unknown
  try {
    layer = Reflect.apply(load, process, ['stream_wrap'])
  } catch {
    // A Node that hides it, or knows it by another name.
    return undefined
  }
  if (typeof layer !== 'object' || layer === null) return undefined
  const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = layer as Record<
    string,
    unknown
  >
  const known =
    typeof WriteWrap === 'function' &&
    streamBaseState instanceof Int32Array &&
    typeof kReadBytesOrError === 'number' &&
    typeof kLastWriteWasAsync === 'number' &&
    Math.max(kReadBytesOrError, kLastWriteWasAsync) < streamBaseState.length
  if (!known) return undefined
  return {
    WriteWrap: WriteWrap as NodeStreams['WriteWrap'],
    streamState: streamBaseState,
    readBytesOrError: kReadBytesOrError,
    lastWriteWasAsync: kLastWriteWasAsync,
  }
}

const methods = ['useUserBuffer', 'readStart', 'readStop', 'writeBuffer', 'onread'] as const

/** The handle of a connected TCP socket, if it is one that we know how to use. */
export function handleOf(socket: Socket): StreamHandle | undefined {
  if (socket instanceof TLSSocket || socket.destroyed || socket.connecting) return undefined
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return undefined
  if (methods.some((name) => typeof Reflect.get(handle, name) !== 'function')) return undefined
  return typeof Reflect.get(handle, 'reading') === 'boolean' ? (handle as StreamHandle) : undefined
}
