import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'

import { agentTokenAudience, agentTokenType, tokenIssuer } from '@sluice/schema/claims'

/** A key pair, the document that a relay verifies with, and agent tokens minted here. */
export function startKeys(closing: AsyncDisposableStack) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'EdDSA', use: 'sig' }
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key] }))
  })
  closing.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  const { promise: url, resolve } = Promise.withResolvers<string>()
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`)
  })
  return {
    url,
    token: (endpointHost: string, claims: object = {}) =>
      agentTokenFor(endpointHost, claims, privateKey),
  }
}

function agentTokenFor(endpointHost: string, claims: object, privateKey: KeyObject): string {
  const now = Math.floor(Date.now() / 1000)
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const body = `${encode({ alg: 'EdDSA', kid: 'bench', typ: agentTokenType })}.${encode({
    iss: tokenIssuer,
    aud: agentTokenAudience,
    jti: endpointHost,
    iat: now,
    exp: now + 3_600,
    sub: 'bench',
    organizationId: 'bench',
    tunnelId: endpointHost,
    kind: 'http',
    endpointHosts: [endpointHost],
    tlsMode: 'terminate',
    region: 'local',
    epoch: 1,
    policy: {},
    maxConcurrentConns: 1_000,
    ...claims,
  })}`
  return `${body}.${sign(null, Buffer.from(body), privateKey).toString('base64url')}`
}
