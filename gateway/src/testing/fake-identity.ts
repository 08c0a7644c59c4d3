import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Principal } from '@sluice/kit/principal'
import { sendProblem } from '@sluice/kit/subgraph'
import { SluiceError, type ErrorCode } from '@sluice/schema/errors'
import type { Revocation } from '@sluice/schema/redis'

const prefixes: Partial<Record<Principal['kind'], string>> = {
  authtoken: 'slt_',
  'api-key': 'slk_',
}

const unknownCodes: Readonly<Record<string, ErrorCode>> = {
  slt_: 'SLUICE_AUTHTOKEN_INVALID',
  slk_: 'SLUICE_API_KEY_INVALID',
}

/** The routes of identity that the gateway calls, over a list of credentials that a test writes. */
export function createFakeIdentity() {
  const credentials = new Map<string, { principal: Principal; expiresAt: string | null }>()
  const allowedIps = new Map<string, string>()
  const revocations: Revocation[] = []
  let asked = 0
  let away = false

  return {
    /** How often the gateway asked. */
    asked: () => asked,
    /** Makes identity answer nothing about credentials. */
    goAway: () => void (away = true),
    add(principal: Principal, expiresAt: Date | null = null): string {
      const token = `${prefixes[principal.kind] ?? ''}${crypto.randomUUID()}`
      credentials.set(token, { principal, expiresAt: expiresAt?.toISOString() ?? null })
      return token
    },
    /** Makes the holder of a credential somebody else, as when a membership changes. */
    change: (token: string, principal: Principal, expiresAt: Date | null = null) =>
      void credentials.set(token, { principal, expiresAt: expiresAt?.toISOString() ?? null }),
    /** Has a credential be good from one address only. */
    allowFrom: (token: string, ip: string) => void allowedIps.set(token, ip),
    remove: (token: string) => void credentials.delete(token),
    /** Puts something on the revoke list, without a word. */
    list: (kind: Revocation['kind'], id: string) =>
      void revocations.push({ kind, id, at: new Date().toISOString() }),
    route: async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
      if (request.url === '/.well-known/jwks.json') {
        response.end(JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'one', x: 'x' }] }))
        return true
      }
      if (request.url === '/internal/revocations') {
        response.end(JSON.stringify({ revocations }))
        return true
      }
      if (request.url !== '/internal/authenticate') return false
      asked += 1
      if (away) {
        response.destroy()
        return true
      }
      const { credential, ip } = JSON.parse(await textOf(request)) as {
        credential: { token: string }
        ip: string
      }
      const { token } = credential
      const known = credentials.get(token)
      const refused = known && (allowedIps.get(token) ?? ip) !== ip
      if (refused) sendProblem(response, new SluiceError('SLUICE_AUTHTOKEN_IP_REFUSED', { ip }))
      else if (known) response.end(JSON.stringify(known))
      else
        sendProblem(
          response,
          new SluiceError(unknownCodes[token.slice(0, 4)] ?? 'SLUICE_UNAUTHENTICATED'),
        )
      return true
    },
  }
}
export type FakeIdentity = ReturnType<typeof createFakeIdentity>

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
