import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

import { list } from './config.ts'

/** AES-256-GCM with the nonce and tag sizes of NIST SP 800-38D. */
const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

export interface SealingKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Buffer
}

export interface Sealed {
  readonly sealingKeyId: string
  readonly sealed: string
}

/**
 * Seals secrets so that whoever reads the database, or moves rows in it, gains nothing: what is sealed opens for its owner
 * alone, a text that says what it is and whose.
 */
export class Sealer {
  readonly #current: SealingKey
  readonly #byId: ReadonlyMap<string, SealingKey>

  /** The first key seals; all open. */
  constructor(keys: readonly [SealingKey, ...SealingKey[]]) {
    ;[this.#current] = keys
    this.#byId = new Map(keys.map((key) => [key.id, key]))
  }

  get currentKeyId(): string {
    return this.#current.id
  }

  seal(text: string, owner: string): Sealed {
    const { id, key } = this.#current
    const nonce = randomBytes(nonceBytes)
    const sealing = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(owner))
    const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()])
    const parts = Buffer.concat([nonce, sealing.getAuthTag(), sealed])
    return { sealingKeyId: id, sealed: parts.toString('base64') }
  }

  /** Throws when the key is not known, the text was changed, or it belongs to another owner. */
  open({ sealingKeyId, sealed }: Sealed, owner: string): string {
    const key = this.#byId.get(sealingKeyId)?.key
    if (!key) throw new Error(`no sealing key ${sealingKeyId}`)
    const parts = Buffer.from(sealed, 'base64')
    const nonce = parts.subarray(0, nonceBytes)
    const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(owner))
      .setAuthTag(parts.subarray(nonceBytes, nonceBytes + tagBytes))
    const text = opening.update(parts.subarray(nonceBytes + tagBytes))
    return Buffer.concat([text, opening.final()]).toString('utf8')
  }
}

/** `id:key` with commas between: an id of up to 64 characters, and 32 bytes in base64. */
export const sealingKeys = list
  .transform((items) =>
    items.map((item) => {
      const [id = '', ...rest] = item.split(':')
      return { id, key: Buffer.from(rest.join(':'), 'base64') }
    }),
  )
  .refine(
    (keys) => keys.every(({ id, key }) => /^[\w.-]{1,64}$/.test(id) && key.length === 32),
    'is not a list of id:key with 32 bytes in base64',
  )
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'names a key twice')
