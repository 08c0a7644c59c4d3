import {
  AgentTokenClaims,
  agentTokenAudience,
  agentTokenType,
  tokenIssuer,
} from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors as joseErrors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'

export interface AgentTokens {
  /** The claims of a token signed for this relay, expired at most this long ago. Throws `SLUICE_AGENT_TOKEN_INVALID`. */
  verify(agentToken: string, expiredMsMax?: number): Promise<AgentTokenClaims>
  /** Whether keys have ever been read. */
  ready(): boolean
  close(): void
}

const refreshMs = 300_000
const retryMs = 1_000
/** A token with an unknown key may ask for fresh keys this often. */
const askAgainMs = 5_000
const fetchTimeoutMs = 3_000
const clockToleranceSeconds = 30

/** Verifies agent tokens offline. Keys are read ahead, kept while their source is away, and read again for an unknown key id. */
export function openAgentTokens(
  readKeys: (signal: AbortSignal) => Promise<JSONWebKeySet>,
): AgentTokens {
  let keys: JWTVerifyGetKey | undefined
  let keyIds = new Set<string | undefined>()
  let timer: NodeJS.Timeout | undefined
  let readAtMs = -Infinity
  let reading: Promise<void> | undefined
  let closed = false

  async function read(): Promise<void> {
    readAtMs = performance.now()
    try {
      const fresh = await readKeys(AbortSignal.timeout(fetchTimeoutMs))
      keys = createLocalJWKSet(fresh)
      keyIds = new Set(fresh.keys.map((key) => key.kid))
      schedule(refreshMs)
    } catch {
      // Stale keys are better than none: they verify what they always did.
      schedule(keys ? refreshMs / 10 : retryMs)
    }
    reading = undefined
  }
  function schedule(delayMs: number): void {
    clearTimeout(timer)
    if (!closed) timer = setTimeout(() => void refresh(), delayMs * (0.75 + Math.random() / 2))
  }
  function refresh(): Promise<void> {
    reading ??= read()
    return reading
  }
  void refresh()

  return {
    async verify(agentToken, expiredMsMax = 0) {
      if (!keys) await refresh()
      if (!keyIds.has(keyIdOf(agentToken)) && performance.now() - readAtMs > askAgainMs)
        await refresh()
      if (!keys) throw new SluiceError('SLUICE_AGENT_TOKEN_INVALID')
      try {
        const { payload } = await jwtVerify(agentToken, keys, {
          algorithms: ['EdDSA', 'Ed25519'],
          issuer: tokenIssuer,
          audience: agentTokenAudience,
          typ: agentTokenType,
          clockTolerance: Math.max(clockToleranceSeconds, Math.ceil(expiredMsMax / 1000)),
          requiredClaims: ['exp', 'iat', 'jti', 'sub'],
        })
        return AgentTokenClaims.parse(payload)
      } catch (error) {
        throw new SluiceError('SLUICE_AGENT_TOKEN_INVALID', {}, { cause: error })
      }
    },
    ready: () => keys !== undefined,
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

/** Reads a JWKS document from a URL. */
export function jwksFrom(url: string): (signal: AbortSignal) => Promise<JSONWebKeySet> {
  return async (signal) => {
    const response = await fetch(url, { signal, redirect: 'error' })
    if (!response.ok) throw new joseErrors.JWKSInvalid(`status ${response.status}`)
    return (await response.json()) as JSONWebKeySet
  }
}

function keyIdOf(agentToken: string): string | undefined {
  try {
    return decodeProtectedHeader(agentToken).kid
  } catch {
    return undefined
  }
}
