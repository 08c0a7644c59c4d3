import { createHash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const authtokenPrefix = 'slt_'
const randomCharacters = 32
const checksumCharacters = 6
const shownCharacters = 6
const form = /^slt_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/

/** A new authtoken: `slt_`, 32 random characters of base62, and their CRC-32 in base62. */
export function newAuthtoken(): string {
  const random = Array.from({ length: randomCharacters }, () => alphabet[randomInt(62)]).join('')
  return authtokenPrefix + random + checksumOf(random)
}

/** Whether a text can be an authtoken: tells a mistyped one, and other people's secrets, without a look-up. */
export function isAuthtoken(text: string): boolean {
  const [, random = '', checksum] = form.exec(text) ?? []
  return checksum !== undefined && checksumOf(random) === checksum
}

export function authtokenHashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** As much of it as lists show. */
export function shownPrefixOf(text: string): string {
  return text.slice(0, authtokenPrefix.length + shownCharacters)
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
