import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** AES-256-GCM with the nonce and tag sizes of NIST SP 800-38D. */
const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

export interface SealingKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Buffer
}

/** Whose a sealed text is: it opens for nobody else. */
export interface Owner {
  readonly organizationId: string
  readonly domain: string
}

export interface Sealed {
  readonly sealingKeyId: string
  readonly sealed: string
}

/** Seals private keys so that whoever reads the database, or moves rows in it, gains nothing. */
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

  seal(text: string, owner: Owner): Sealed {
    const { id, key } = this.#current
    const nonce = randomBytes(nonceBytes)
    const sealing = createCipheriv(cipher, key, nonce).setAAD(contextOf(owner))
    const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()])
    const parts = Buffer.concat([nonce, sealing.getAuthTag(), sealed])
    return { sealingKeyId: id, sealed: parts.toString('base64') }
  }

  /** Throws when the key is not known, the text was changed, or it belongs to another owner. */
  open({ sealingKeyId, sealed }: Sealed, owner: Owner): string {
    const key = this.#byId.get(sealingKeyId)?.key
    if (!key) throw new Error(`no sealing key ${sealingKeyId}`)
    const parts = Buffer.from(sealed, 'base64')
    const nonce = parts.subarray(0, nonceBytes)
    const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
      .setAAD(contextOf(owner))
      .setAuthTag(parts.subarray(nonceBytes, nonceBytes + tagBytes))
    const text = opening.update(parts.subarray(nonceBytes + tagBytes))
    return Buffer.concat([text, opening.final()]).toString('utf8')
  }
}

function contextOf({ organizationId, domain }: Owner): Buffer {
  return Buffer.from(`certificate|${organizationId}|${domain}`)
}
