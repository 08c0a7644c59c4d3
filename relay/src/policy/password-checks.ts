import { scrypt, timingSafeEqual } from 'node:crypto'

import { LRUCache } from 'lru-cache'

import { TokenBucket } from '../token-bucket.ts'

export interface ScryptVerifier {
  /** log2 of scrypt's N; r is 8 and p is 1. */
  readonly logN: number
  readonly salt: Buffer
  readonly digest: Buffer
}

/** Checks at once: with N = 2^14 each takes about 50 ms of one core and 16 MiB. */
const runningMax = 2
/** Behind these a visitor is told to come again. */
const waitingMax = 32
/** Passwords that one address may have computed: a household of logins at once, then one in two seconds. */
const attemptsBurst = 30
const attemptsPerSecond = 0.5
const addressesMax = 20_000
/** What a visitor that has tried too often is told to wait. */
export const attemptsRetryAfterSeconds = 5

/** The relay's budget for slow password checks: so many at once, so many per address, so that visitors cannot burn its processor. */
export class PasswordChecks {
  readonly #attempts = new LRUCache<string, TokenBucket>({ max: addressesMax })
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** Counts an attempt of this address. An IPv6 visitor is its /64. */
  mayTry(visitorIp: string): boolean {
    const address = networkOf(visitorIp)
    const bucket = this.#attempts.get(address) ?? new TokenBucket(attemptsPerSecond, attemptsBurst)
    this.#attempts.set(address, bucket)
    return bucket.take(performance.now())
  }

  /** Whether the password is that of one of the verifiers. Undefined: too many wait already. */
  proves(verifiers: readonly ScryptVerifier[], password: string): Promise<boolean> | undefined {
    if (this.#waiting.length >= waitingMax) return undefined
    return this.#prove(verifiers, password)
  }

  async #prove(verifiers: readonly ScryptVerifier[], password: string): Promise<boolean> {
    if (this.#running >= runningMax)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      let proves = false
      for (const verifier of verifiers) {
        if (timingSafeEqual(await derive(verifier, password), verifier.digest)) proves = true
      }
      return proves
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}

function derive({ logN, salt, digest }: ScryptVerifier, password: string): Promise<Buffer> {
  const cost = { N: 2 ** logN, r: 8, p: 1, maxmem: 2 ** logN * 8 * 256 }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, digest.length, cost, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}

function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':')
  const filled = tail === undefined ? groups : [...groups, '0', '0', '0', '0']
  return filled.slice(0, 4).join(':')
}
