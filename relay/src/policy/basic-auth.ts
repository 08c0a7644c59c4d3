import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

import type { EdgePolicy } from '@sluice/schema/claims'
import { LRUCache } from 'lru-cache'

import type { PasswordChecks, ScryptVerifier } from './password-checks.ts'

/** `limited`: this visitor has tried too often. */
export type AuthVerdict = 'passes' | 'refused' | 'limited'

type Verifier =
  | { readonly kind: 'sha256'; readonly salt: Buffer; readonly digest: Buffer }
  | ({ readonly kind: 'scrypt' } & ScryptVerifier)

const passedMax = 500
const failedMax = 500
/** A wrong password that comes again within this time, as browsers send it, costs nothing. */
const failedKeptMs = 60_000
const saltBytesMax = 64
/** 2^15 × 8 × 128 bytes are 32 MiB, the most that one check may take. */
const scryptLogMax = 15

/** Checked when the user is unknown, so that the answer takes as long as for a known one. */
const nobody: Record<Verifier['kind'], Verifier> = {
  sha256: { kind: 'sha256', salt: Buffer.alloc(16), digest: Buffer.alloc(32) },
  scrypt: { kind: 'scrypt', logN: 14, salt: Buffer.alloc(16), digest: Buffer.alloc(32) },
}

/**
 * The users of one tunnel. A verifier is scrypt, slow on purpose, so each distinct Authorization value is computed once
 * and its outcome kept under a keyed digest: neither memory nor a dump of it holds a password.
 */
export class BasicAuth {
  readonly #users = new Map<string, Verifier[]>()
  readonly #nobody: Verifier
  readonly #key = randomBytes(32)
  readonly #passed = new LRUCache<string, true>({ max: passedMax })
  readonly #failed = new LRUCache<string, true>({ max: failedMax, ttl: failedKeptMs })

  constructor(users: NonNullable<EdgePolicy['basicAuth']>) {
    for (const { user, verifier } of users) {
      const parsed = parseVerifier(verifier)
      const known = this.#users.get(user) ?? []
      // A user whose verifier cannot be read can prove nothing.
      this.#users.set(user, parsed ? [...known, parsed] : known)
    }
    const slow = [...this.#users.values()].flat().some(({ kind }) => kind === 'scrypt')
    this.#nobody = nobody[slow ? 'scrypt' : 'sha256']
  }

  /** Whether an Authorization value names a user and proves the password; later when it has to be computed. */
  check(
    authorization: string,
    visitorIp: string,
    checks: PasswordChecks,
  ): AuthVerdict | Promise<AuthVerdict> {
    if (authorization === '') return 'refused'
    const key = createHmac('sha256', this.#key).update(authorization).digest('base64')
    if (this.#passed.has(key)) return 'passes'
    if (this.#failed.has(key)) return 'refused'
    const credentials = parseCredentials(authorization)
    if (!credentials) return 'refused'
    if (!checks.mayTry(visitorIp)) return 'limited'
    return this.#verify(key, credentials, checks)
  }

  #verify(
    key: string,
    { user, password }: Credentials,
    checks: PasswordChecks,
  ): AuthVerdict | Promise<AuthVerdict> {
    const known = this.#users.get(user) ?? []
    const verifiers = known.length > 0 ? known : [this.#nobody]
    const slow: ScryptVerifier[] = []
    let proves = false
    for (const verifier of verifiers) {
      if (verifier.kind === 'scrypt') slow.push(verifier)
      else if (provesSha256(verifier, password)) proves = true
    }
    if (slow.length === 0) return this.#keep(key, proves && known.length > 0)
    const proven = checks.proves(slow, password)
    if (!proven) return 'limited'
    return proven.then((slowly) => this.#keep(key, (proves || slowly) && known.length > 0))
  }

  #keep(key: string, passes: boolean): AuthVerdict {
    ;(passes ? this.#passed : this.#failed).set(key, true)
    return passes ? 'passes' : 'refused'
  }
}

interface Credentials {
  readonly user: string
  readonly password: string
}

function parseCredentials(authorization: string): Credentials | undefined {
  const match = /^basic +([a-z0-9+/]+={0,2})$/i.exec(authorization)
  const text = Buffer.from(match?.[1] ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

function provesSha256({ salt, digest }: { salt: Buffer; digest: Buffer }, password: string) {
  return timingSafeEqual(createHash('sha256').update(salt).update(password).digest(), digest)
}

/** `scrypt:<log2 N>:<salt>:<digest>` with r 8 and p 1, or `sha256:<salt>:<digest>` of an earlier release; all in hexadecimal. */
function parseVerifier(text: string): Verifier | undefined {
  const [kind, ...parts] = text.split(':')
  const digest = bytesOf(parts.at(-1), 32)
  const salt = bytesOf(parts.at(-2), saltBytesMax)
  if (!salt || digest?.length !== 32) return undefined
  if (kind === 'sha256' && parts.length === 2) return { kind, salt, digest }
  const logN = Number(parts[0])
  if (kind !== 'scrypt' || parts.length !== 3 || !Number.isInteger(logN)) return undefined
  return logN >= 10 && logN <= scryptLogMax ? { kind, logN, salt, digest } : undefined
}

function bytesOf(hex: string | undefined, bytesMax: number): Buffer | undefined {
  if (hex === undefined || hex.length > bytesMax * 2) return undefined
  return /^(?:[0-9a-f]{2})+$/i.test(hex) ? Buffer.from(hex, 'hex') : undefined
}
