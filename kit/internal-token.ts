import { tokenIssuer } from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  importJWK,
  jwtVerify,
  type CryptoKey,
  type JSONWebKeySet,
} from 'jose'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'

import { isForgery } from './forgeries.ts'
import { gatewayPrincipal, Principal } from './principal.ts'
import { generatePrivateJwks, openSigningKeys, type SigningKeys } from './signing-keys.ts'

export type SubgraphName = 'identity' | 'tunnels' | 'domains' | 'billing'

export const internalHeader = 'x-sluice-internal'
export const requestIdHeader = 'x-request-id'
export const visitorIpHeader = 'x-sluice-visitor-ip'

const internalTokenType = 'internal+jwt'
const internalTokenSeconds = 60
/** A token is handed out again at most this long, so that it is still valid when it arrives. */
const reuseMs = 40_000
const cachedTokensMax = 10_000

const internalKeyType = 'internal-key+jwt'
/** Where a token carries the certificate of the key that signed it. */
const certificateHeader = 'crt'
const certificateCharactersMax = 1_024
const cachedCertificatesMax = 100

/**
 * How long keys of before are good once staff has asked for others: longer than gateways take to hear of it, and than what
 * they have signed lives.
 */
export const internalKeyOverlapMs = 2 * 60_000
/** Clocks of gateways and identity differ by less. */
const clockSkewMs = 60_000
/** A gateway whose key is refused makes another one, at most this often. */
const refusedKeyMs = 30_000

/** The public half of a gateway's own key, as the keys of the environment have signed it. */
const KeyCertificate = z.object({
  kid: z.string().min(1).max(64),
  x: z.string().max(64),
  /** The key that it took the place of; null for the first of a process. */
  replaces: z.string().max(64).nullable(),
  /** When staff last asked for other keys, as its maker knew; in ms since 1970. */
  askedAtMs: z.number().optional(),
  iat: z.number(),
  exp: z.number(),
})

/** A key of a gateway that has signed something, as a subgraph learns of it. */
export interface InternalKey {
  readonly kid: string
  readonly replaces: string | null
  readonly endsAt: Date
  /** The request of staff that it answers; null when nobody has asked. */
  readonly askedAt: Date | null
}

export type OnInternalKey = (key: InternalKey) => void

/**
 * The gateway's side: one signed header value per principal and subgraph, reused while it is fresh. With `rotation` the keys
 * given sign nothing but certificates: tokens are signed by a key that this process has made, and makes anew every
 * `everyMs`. A new one is used once a token of it was seen to verify.
 */
export function createInternalSigner(
  keys: SigningKeys,
  rotation?: { everyMs: number; now?: () => number; onFailed?: (error: unknown) => void },
) {
  const cache = new LRUCache<string, Promise<string>>({ max: cachedTokensMax, ttl: reuseMs })
  const own = rotation ? rotatingSigner(keys, rotation, () => cache.clear()) : null
  const signed = async (principal: Principal, audience: SubgraphName): Promise<string> => {
    const signer = own ? await own.signer() : keys
    const claims = { iss: tokenIssuer, aud: audience, principal }
    return signer.sign(internalTokenType, claims, internalTokenSeconds)
  }
  return {
    headerFor(principal: Principal, audience: SubgraphName): Promise<string> {
      const cacheKey = `${audience} ${JSON.stringify(principal)}`
      const cached = cache.get(cacheKey)
      if (cached) return cached
      const token = signed(principal, audience)
      cache.set(cacheKey, token)
      token.catch(() => cache.delete(cacheKey))
      return token
    },
    /** Makes another key of its own if staff has asked for it since this one was made. */
    renewAskedAt: (askedAt: Date): void => own?.renewAskedAt(askedAt.getTime()),
    /** A subgraph knows this process no more: its key may have been replaced while it could hear nothing. */
    renewRefused: (): void => own?.renewRefused(),
  }
}
export type InternalSigner = ReturnType<typeof createInternalSigner>

interface OwnKey {
  readonly kid: string
  readonly madeAtMs: number
  readonly askedAtMs: number
  readonly signer: SigningKeys
}

function rotatingSigner(
  roots: SigningKeys,
  {
    everyMs,
    now = Date.now,
    onFailed,
  }: { everyMs: number; now?: () => number; onFailed?: (error: unknown) => void },
  /** What was signed with the key before is not to be used again. */
  onRenewed: () => void,
) {
  const verify = createInternalVerifier(roots.publicJwks, 'identity')
  let current: OwnKey | null = null
  let making: Promise<OwnKey> | null = null
  let askedAtMs = 0

  async function make(): Promise<OwnKey> {
    const jwks = await generatePrivateJwks(1)
    const [key] = jwks.keys
    if (!key) throw new Error('no key was made')
    // It outlives its use by as long again, and so whatever it has signed.
    const seconds = Math.ceil((2 * everyMs) / 1000) + internalTokenSeconds
    const answers = { askedAtMs }
    const certificate = await roots.sign(
      internalKeyType,
      { iss: tokenIssuer, kid: key.kid, x: key.x, replaces: current?.kid ?? null, ...answers },
      seconds,
    )
    const signer = await openSigningKeys(jwks, { [certificateHeader]: certificate })
    const probe = { iss: tokenIssuer, aud: 'identity', principal: gatewayPrincipal }
    await verify(await signer.sign(internalTokenType, probe, internalTokenSeconds))
    return { kid: key.kid, madeAtMs: now(), ...answers, signer }
  }

  /** The next key. The one before goes on until it is there, and if it cannot be made. */
  function next(): Promise<OwnKey> {
    making ??= make()
      .then((key) => {
        current = key
        onRenewed()
        return key
      })
      .finally(() => {
        making = null
      })
    return making
  }
  function renew(): void {
    next().catch((error: unknown) => onFailed?.(error))
  }
  const isDue = ({ madeAtMs, askedAtMs: knownMs }: OwnKey) =>
    now() - madeAtMs >= everyMs || (knownMs < askedAtMs && madeAtMs < askedAtMs + clockSkewMs)

  return {
    async signer(): Promise<SigningKeys> {
      if (!current) return (await next()).signer
      if (isDue(current)) renew()
      return current.signer
    },
    renewAskedAt(atMs: number): void {
      askedAtMs = Math.max(askedAtMs, atMs)
      if (current && isDue(current)) renew()
    },
    renewRefused(): void {
      if (current && now() - current.madeAtMs >= refusedKeyMs) renew()
    },
  }
}

interface CertifiedKey {
  readonly key: CryptoKey
  readonly endsAtMs: number
  readonly issuedAtMs: number
  readonly askedAtMs: number
}

/**
 * The subgraph's side: throws SLUICE_UNAUTHENTICATED for anything but a fresh token of the gateway for this subgraph, signed
 * by one of the keys given or by one that they have certified. `onKey` hears of each of those once, `onForged` of every token
 * that is missing or signed by somebody else, and of the address it came from.
 */
export function createInternalVerifier(
  publicJwks: JSONWebKeySet,
  audience: SubgraphName,
  {
    onKey,
    onForged,
    now = Date.now,
  }: { onKey?: OnInternalKey; onForged?: (ip: string) => void; now?: () => number } = {},
) {
  const roots = createLocalJWKSet(publicJwks)
  const certified = new LRUCache<string, CertifiedKey>({
    max: cachedCertificatesMax,
  })
  const verified = new LRUCache<string, { principal: Principal; expiresAtMs: number }>({
    max: cachedTokensMax,
  })

  let latestAskedAtMs = 0

  async function keyOf(certificate: string): Promise<CryptoKey> {
    const known = certified.get(certificate)
    if (known && known.endsAtMs > Date.now()) return goodKeyOf(known)
    const { payload } = await jwtVerify(certificate, roots, {
      algorithms: ['EdDSA'],
      issuer: tokenIssuer,
      typ: internalKeyType,
      requiredClaims: ['exp'],
    })
    const { kid, x, replaces, askedAtMs = 0, iat, exp } = KeyCertificate.parse(payload)
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA')
    if (key instanceof Uint8Array) throw new TypeError('the certified key is not a public one')
    const made = { key, endsAtMs: exp * 1000, issuedAtMs: iat * 1000, askedAtMs }
    certified.set(certificate, made)
    latestAskedAtMs = Math.max(latestAskedAtMs, askedAtMs)
    const askedAt = askedAtMs === 0 ? null : new Date(askedAtMs)
    onKey?.({ kid, replaces, endsAt: new Date(made.endsAtMs), askedAt })
    return goodKeyOf(made)
  }

  /** The key, unless staff has asked for others since, and the overlap is over. Newer certificates tell of that. */
  function goodKeyOf({ key, issuedAtMs, askedAtMs }: CertifiedKey): CryptoKey {
    const isReplaced = Math.max(issuedAtMs, askedAtMs) < latestAskedAtMs
    if (isReplaced && now() >= latestAskedAtMs + internalKeyOverlapMs) {
      throw new Error('the key was replaced')
    }
    return key
  }

  return async (token: string | null | undefined, ip = ''): Promise<Principal> => {
    if (!token) {
      onForged?.(ip)
      throw new SluiceError('SLUICE_UNAUTHENTICATED')
    }
    const known = verified.get(token)
    if (known && known.expiresAtMs > Date.now()) return known.principal
    try {
      const certificate = decodeProtectedHeader(token)[certificateHeader]
      const options = {
        algorithms: ['EdDSA'],
        issuer: tokenIssuer,
        audience,
        typ: internalTokenType,
        requiredClaims: ['exp'],
      }
      const { payload } = isCertificate(certificate)
        ? await jwtVerify(token, await keyOf(certificate), options)
        : await jwtVerify(token, roots, options)
      const principal = Principal.parse(payload['principal'])
      verified.set(token, { principal, expiresAtMs: (payload.exp ?? 0) * 1000 })
      return principal
    } catch (error) {
      if (isForgery(error)) onForged?.(ip)
      throw new SluiceError('SLUICE_UNAUTHENTICATED', {}, { cause: error })
    }
  }
}
export type InternalVerifier = ReturnType<typeof createInternalVerifier>

function isCertificate(value: unknown): value is string {
  return typeof value === 'string' && value.length <= certificateCharactersMax
}
