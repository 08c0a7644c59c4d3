import { createHash, timingSafeEqual } from 'node:crypto'

import { anonymous } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'

import type { Authenticated } from './identity.ts'

export const relayKeyPrefix = 'slrk_'

/** Says which relay a key belongs to. `hashes` are SHA-256 in hex; a key that fits none throws. */
export function createRelayKeys(hashes: readonly string[]): (key: string) => Authenticated {
  const known = hashes.map((hash) => Buffer.from(hash, 'hex')).filter(({ length }) => length === 32)
  return (key) => {
    const hash = createHash('sha256').update(key).digest()
    // Every hash is compared: how long it takes tells nothing of which one fits.
    const fitting = known.filter((one) => timingSafeEqual(one, hash))
    if (fitting.length === 0) throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
    const id = hash.toString('hex').slice(0, 16)
    return { principal: { ...anonymous, kind: 'relay', id }, expiresAtMs: null }
  }
}
