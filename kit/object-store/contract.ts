/** One object; larger ones are refused. */
export const objectBytesMax = 64 * 1024 * 1024

/**
 * Bodies and files, by key: segments of `A-Za-z0-9._-` joined by `/`, at most 512 characters. Every call rejects with
 * `ObjectStoreError` when the store cannot be reached.
 */
export interface ObjectStore {
  /** Stores the whole object, or nothing. An object of this key is replaced. */
  put(key: string, bytes: Buffer, contentType: string): Promise<void>
  /** The object, or undefined where there is none. */
  get(key: string): Promise<Buffer | undefined>
  /** The names directly below a prefix that ends with `/`, in order: `a/` of `a/b/c` and `a/d` is `b/`, `d`. */
  list(prefix: string): Promise<string[]>
  /** Deletes every object below a prefix that ends with `/`. */
  deleteAll(prefix: string): Promise<void>
  close(): void
}

/** Where objects are kept: in a folder, or in a bucket of an S3-compatible store. */
export type ObjectStoreSettings =
  | { readonly folder: string }
  | {
      readonly bucket: string
      readonly region: string
      /** Undefined: Amazon's own. */
      readonly endpoint: string | undefined
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
    }

/** The store could not do what it was asked for. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError'
}

const keyCharactersMax = 512
const segment = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,200}$/

/** Throws unless the key is safe to be a path. */
export function assertKey(key: string): void {
  if (key.length > keyCharactersMax || !key.split('/').every((part) => segment.test(part))) {
    throw new ObjectStoreError(`not a key: ${JSON.stringify(key.slice(0, 64))}`)
  }
}

export function assertPrefix(prefix: string): void {
  if (!prefix.endsWith('/')) throw new ObjectStoreError('a prefix ends with /')
  assertKey(prefix.slice(0, -1))
}

/** Refuses what is too large before it costs a transfer. */
export function assertObjectSize(bytes: Buffer): void {
  if (bytes.length > objectBytesMax) {
    throw new ObjectStoreError(`an object has at most ${objectBytesMax} bytes`)
  }
}
