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

/** The public half of a gateway's own key, as the keys of the environment have signed it. */
const KeyCertificate = z.object({
  kid: z.string().min(1).max(64),
  x: z.string().max(64),
  /** The key that it took the place of; null for the first of a process. */
  replaces: z.string().max(64).nullable(),
  exp: z.number(),
})

/** A key of a gateway that has signed something, as a subgraph learns of it. */
export interface InternalKey {
  readonly kid: string
  readonly replaces: string | null
  readonly endsAt: Date
}

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
  const signerOf = rotation ? rotatingSigner(keys, rotation) : () => Promise.resolve(keys)
  const signed = async (principal: Principal, audience: SubgraphName): Promise<string> => {
    const signer = await signerOf()
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
  }
}
export type InternalSigner = ReturnType<typeof createInternalSigner>

interface OwnKey {
  readonly kid: string
  readonly madeAtMs: number
  readonly signer: SigningKeys
}

function rotatingSigner(
  roots: SigningKeys,
  {
    everyMs,
    now = Date.now,
    onFailed,
  }: { everyMs: number; now?: () => number; onFailed?: (error: unknown) => void },
): () => Promise<SigningKeys> {
  const verify = createInternalVerifier(roots.publicJwks, 'identity')
  let current: OwnKey | null = null
  let making: Promise<OwnKey> | null = null

  async function make(): Promise<OwnKey> {
    const jwks = await generatePrivateJwks(1)
    const [key] = jwks.keys
    if (!key) throw new Error('no key was made')
    // It outlives its use by as long again, and so whatever it has signed.
    const seconds = Math.ceil((2 * everyMs) / 1000) + internalTokenSeconds
    const certificate = await roots.sign(
      internalKeyType,
      { iss: tokenIssuer, kid: key.kid, x: key.x, replaces: current?.kid ?? null },
      seconds,
    )
    const signer = await openSigningKeys(jwks, { [certificateHeader]: certificate })
    const probe = { iss: tokenIssuer, aud: 'identity', principal: gatewayPrincipal }
    await verify(await signer.sign(internalTokenType, probe, internalTokenSeconds))
    return { kid: key.kid, madeAtMs: now(), signer }
  }

  return async () => {
    if (!current || now() - current.madeAtMs >= everyMs) {
      making ??= make().finally(() => {
        making = null
      })
      const made = making.then((key) => {
        current = key
        return key
      })
      // The one before goes on until the next is there, and if it cannot be made.
      if (!current) return (await made).signer
      made.catch((error: unknown) => onFailed?.(error))
    }
    return current.signer
  }
}

/**
 * The subgraph's side: throws SLUICE_UNAUTHENTICATED for anything but a fresh token of the gateway for this subgraph, signed
 * by one of the keys given or by one that they have certified. `onKey` hears of each of those once.
 */
export function createInternalVerifier(
  publicJwks: JSONWebKeySet,
  audience: SubgraphName,
  onKey?: (key: InternalKey) => void,
) {
  const roots = createLocalJWKSet(publicJwks)
  const certified = new LRUCache<string, { key: CryptoKey; endsAtMs: number }>({
    max: cachedCertificatesMax,
  })
  const verified = new LRUCache<string, { principal: Principal; expiresAtMs: number }>({
    max: cachedTokensMax,
  })

  async function keyOf(certificate: string): Promise<CryptoKey> {
    const known = certified.get(certificate)
    if (known && known.endsAtMs > Date.now()) return known.key
    const { payload } = await jwtVerify(certificate, roots, {
      algorithms: ['EdDSA'],
      issuer: tokenIssuer,
      typ: internalKeyType,
      requiredClaims: ['exp'],
    })
    const { kid, x, replaces, exp } = KeyCertificate.parse(payload)
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA')
    if (key instanceof Uint8Array) throw new TypeError('the certified key is not a public one')
    certified.set(certificate, { key, endsAtMs: exp * 1000 })
    onKey?.({ kid, replaces, endsAt: new Date(exp * 1000) })
    return key
  }

  return async (token: string | null | undefined): Promise<Principal> => {
    if (!token) throw new SluiceError('SLUICE_UNAUTHENTICATED')
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
      throw new SluiceError('SLUICE_UNAUTHENTICATED', {}, { cause: error })
    }
  }
}
export type InternalVerifier = ReturnType<typeof createInternalVerifier>

function isCertificate(value: unknown): value is string {
  return typeof value === 'string' && value.length <= certificateCharactersMax
}
