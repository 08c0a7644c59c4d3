import { constants, createDecipheriv, privateDecrypt, randomBytes } from 'node:crypto'

import { SamlRefusal } from './saml-assertion.ts'
import { childOf, space } from './saml-xml.ts'

interface ContentCipher {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'aes-128-cbc' | 'aes-256-cbc'
  readonly keyBytes: number
}

/** By the algorithms that our metadata offers, the best first (XML Encryption 1.1 §5.2). */
export const contentCiphers: Readonly<Record<string, ContentCipher>> = {
  [`${space.encryption11}aes256-gcm`]: { cipher: 'aes-256-gcm', keyBytes: 32 },
  [`${space.encryption11}aes128-gcm`]: { cipher: 'aes-128-gcm', keyBytes: 16 },
  [`${space.encryption}aes256-cbc`]: { cipher: 'aes-256-cbc', keyBytes: 32 },
  [`${space.encryption}aes128-cbc`]: { cipher: 'aes-128-cbc', keyBytes: 16 },
}

/** RSA-OAEP in both spellings (§5.5.2). PKCS 1.5 is not among them: it answers questions of attackers. */
export const keyTransports = [`${space.encryption11}rsa-oaep`, `${space.encryption}rsa-oaep-mgf1p`]

const digests: Readonly<Record<string, 'sha1' | 'sha256'>> = {
  [`${space.signature}sha1`]: 'sha1',
  [`${space.encryption}sha256`]: 'sha256',
}
const mgfs: Readonly<Record<string, 'sha1' | 'sha256'>> = {
  [`${space.encryption11}mgf1sha1`]: 'sha1',
  [`${space.encryption11}mgf1sha256`]: 'sha256',
}

const gcmNonceBytes = 12
const gcmTagBytes = 16
const blockBytes = 16
/** A provider encrypts for each of our keys at most. */
const encryptedKeysMax = 4

/**
 * Opens an `EncryptedAssertion`. Whoever cannot read an assertion learns nothing by what comes of a changed one: a wrong key
 * goes on as another key, wrong padding as no padding, and both end where an assertion that is not signed ends. Answers
 * what may be XML. Throws SamlRefusal for algorithms that are not taken: these stand in the message for all to read.
 */
export function decryptAssertion(encrypted: Element, privateKeys: readonly string[]): string {
  const data = childOf(encrypted, space.encryption, 'EncryptedData')
  const algorithm = data && algorithmOf(childOf(data, space.encryption, 'EncryptionMethod'))
  const content = algorithm ? contentCiphers[algorithm] : undefined
  if (!data || !content)
    throw new SamlRefusal(`it is encrypted by ${algorithm}, which is not taken`)

  const keys = Array.from(encrypted.getElementsByTagNameNS(space.encryption, 'EncryptedKey'))
  if (keys.length === 0 || keys.length > encryptedKeysMax) {
    throw new SamlRefusal(`it has ${keys.length} encrypted keys, not 1 to ${encryptedKeysMax}`)
  }
  const sealed = keys.map((key) => ({ padding: paddingOf(key), value: cipherValueOf(key) }))
  const key =
    sealed
      .flatMap((one) => privateKeys.map((privateKey) => unwrap(one, privateKey, content)))
      .find((one) => one !== null) ?? randomBytes(content.keyBytes)
  return decrypt(content, key, cipherValueOf(data)).toString('utf8')
}

interface SealedKey {
  readonly padding: 'sha1' | 'sha256'
  readonly value: Buffer
}

function unwrap(
  { padding, value }: SealedKey,
  key: string,
  { keyBytes }: ContentCipher,
): Buffer | null {
  try {
    const options = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: padding }
    const opened = privateDecrypt(options, value)
    return opened.length === keyBytes ? opened : null
  } catch {
    // Of several keys most fit nothing; that none fits shows in what comes out.
    return null
  }
}

/** The hash of OAEP. Ours are the same for the message and its mask: others are refused by name. */
function paddingOf(encryptedKey: Element): 'sha1' | 'sha256' {
  const method = childOf(encryptedKey, space.encryption, 'EncryptionMethod')
  const algorithm = algorithmOf(method)
  if (!method || !algorithm || !keyTransports.includes(algorithm)) {
    throw new SamlRefusal(`its key is encrypted by ${algorithm}, which is not taken`)
  }
  const digestName = algorithmOf(childOf(method, space.signature, 'DigestMethod'))
  const mgfName = algorithmOf(childOf(method, space.encryption11, 'MGF'))
  const digest = digestName === null ? 'sha1' : digests[digestName]
  const mgf = mgfName === null ? 'sha1' : mgfs[mgfName]
  if (!digest || digest !== mgf) {
    throw new SamlRefusal(
      `its key is encrypted with the digest ${digestName} and the mask ${mgfName}: take SHA-1 for both, or SHA-256`,
    )
  }
  return digest
}

function decrypt({ cipher }: ContentCipher, key: Buffer, sealed: Buffer): Buffer {
  try {
    if (cipher === 'aes-128-cbc' || cipher === 'aes-256-cbc') {
      const opening = createDecipheriv(cipher, key, sealed.subarray(0, blockBytes))
      opening.setAutoPadding(false)
      const text = Buffer.concat([opening.update(sealed.subarray(blockBytes)), opening.final()])
      const padded = text.at(-1) ?? 0
      return text.subarray(0, padded <= blockBytes ? text.length - padded : text.length)
    }
    const nonce = sealed.subarray(0, gcmNonceBytes)
    const opening = createDecipheriv(cipher, key, nonce, { authTagLength: gcmTagBytes })
    opening.setAuthTag(sealed.subarray(-gcmTagBytes))
    const text = opening.update(sealed.subarray(gcmNonceBytes, -gcmTagBytes))
    return Buffer.concat([text, opening.final()])
  } catch {
    return Buffer.alloc(0)
  }
}

function cipherValueOf(parent: Element): Buffer {
  const data = childOf(parent, space.encryption, 'CipherData')
  const value = data && childOf(data, space.encryption, 'CipherValue')
  return Buffer.from(value?.textContent?.replaceAll(/\s/g, '') ?? '', 'base64')
}

function algorithmOf(element: Element | null): string | null {
  return element?.getAttribute('Algorithm') ?? null
}
