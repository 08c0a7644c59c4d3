import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK, type JWTPayload } from 'jose'
import { z } from 'zod'

const PrivateJwk = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1),
  x: z.string(),
  d: z.string(),
})

/** Ed25519 private keys, the signing one first. Two, so that one can be published before it signs and after it stopped. */
export const PrivateJwks = z.object({ keys: z.array(PrivateJwk).min(1).max(8) })
export type PrivateJwks = z.infer<typeof PrivateJwks>

/** Ed25519 public keys, as another part's environment holds them. */
export const PublicJwks = z.object({
  keys: z
    .array(z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }))
    .min(1),
})

export interface SigningKeys {
  /** Signs with the first key. `typ` tells token kinds apart (RFC 8725 §3.11). */
  sign(typ: string, payload: JWTPayload, seconds: number): Promise<string>
  /** The public halves of all keys, as the JWKS endpoint shows them. */
  readonly publicJwks: { keys: JWK[] }
}

/** `header`: what stands in the header of each token beside the usual. */
export async function openSigningKeys(
  jwks: PrivateJwks,
  header: Readonly<Record<string, string>> = {},
): Promise<SigningKeys> {
  const [first] = jwks.keys
  if (!first) throw new TypeError('no signing key')
  const key = await importJWK(first, 'EdDSA')
  return {
    sign: (typ, payload, seconds) => {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT(payload)
        .setProtectedHeader({ ...header, alg: 'EdDSA', kid: first.kid, typ })
        .setIssuedAt(now)
        .setExpirationTime(now + seconds)
        .sign(key)
    },
    publicJwks: {
      keys: jwks.keys.map(({ kty, crv, kid, x }) => ({
        kty,
        crv,
        kid,
        x,
        alg: 'EdDSA',
        use: 'sig',
      })),
    },
  }
}

/** Fresh keys for a first start or a test. */
export async function generatePrivateJwks(count = 2): Promise<PrivateJwks> {
  const keys = await Promise.all(
    Array.from({ length: count }, async () => {
      const pair = await generateKeyPair('EdDSA', { extractable: true })
      const { kty, crv, x, d } = await exportJWK(pair.privateKey)
      return { kty, crv, x, d, kid: crypto.randomUUID() }
    }),
  )
  return PrivateJwks.parse({ keys })
}

/** The public half, for whoever only verifies. */
export function publicJwksOf(jwks: PrivateJwks): { keys: JWK[] } {
  return { keys: jwks.keys.map(({ kty, crv, kid, x }) => ({ kty, crv, kid, x, alg: 'EdDSA' })) }
}
