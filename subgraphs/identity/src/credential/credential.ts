import { createHash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const randomCharacters = 32
const checksumCharacters = 6
const shownCharacters = 6
const form = /^(sl[a-z]_)([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/

/** How the secrets of each kind begin: logs, scanners and we ourselves tell them apart by it. */
export const credentialPrefixes = {
  authtoken: 'slt_',
  'api-key': 'slk_',
  'scim-token': 'slc_',
} as const
export type CredentialKind = keyof typeof credentialPrefixes

/** A new secret to be shown once: its prefix, 32 random characters of base62 (190 bits), and their CRC-32 in base62. */
export function newCredential(kind: CredentialKind): string {
  const random = Array.from({ length: randomCharacters }, () => alphabet[randomInt(62)]).join('')
  return credentialPrefixes[kind] + random + checksumOf(random)
}

/** Whether a text can be a secret of this kind: tells a mistyped one, and other people's secrets, without a look-up. */
export function isWellFormed(kind: CredentialKind, text: string): boolean {
  return kindOf(text) === kind
}

/** Of which kind a secret is; null for what cannot be one. */
export function kindOf(text: string): CredentialKind | null {
  const [, prefix, random = '', checksum] = form.exec(text) ?? []
  if (checksum === undefined || checksumOf(random) !== checksum) return null
  const kinds = Object.keys(credentialPrefixes) as CredentialKind[]
  return kinds.find((kind) => credentialPrefixes[kind] === prefix) ?? null
}

/** What is stored of a secret: SHA-256 in hex. It has 190 random bits, so a slow hash would protect nothing. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** As much of a secret as lists show: the prefix and six characters. */
export function shownPrefixOf(text: string): string {
  return text.slice(0, text.indexOf('_') + 1 + shownCharacters)
}

/** What rows of a new secret begin with. */
export function secretColumns(secret: string) {
  return {
    prefix: shownPrefixOf(secret),
    secretHash: hashOf(secret),
    lastUsedAt: null,
    lastUsedIp: null,
    revokedAt: null,
    revokedReason: null,
    successorId: null,
  }
}

function checksumOf(random: string): string {
  let left = crc32(random)
  let checksum = ''
  for (let place = 0; place < checksumCharacters; place += 1) {
    checksum = (alphabet[left % 62] ?? '') + checksum
    left = Math.floor(left / 62)
  }
  return checksum
}
