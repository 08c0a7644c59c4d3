import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

import { agentTokenAudience, agentTokenType, tokenIssuer } from '@sluice/schema/claims'
import { DirectSockets, openSocketLink, type Refusal } from '@sluice/wire'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { expect, test } from 'vitest'

import { Sessions } from '../sessions.ts'
import { SuspendedHosts } from '../suspended-hosts.ts'
import { openAgentTokens } from './agent-token.ts'
import { Agents } from './agents.ts'
import { Outage } from './outage.ts'

const handshake = Buffer.from(
  'GET /_sluice/session HTTP/1.1\r\nHost: edge.tunnel.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
)

test('a tunnel that is stopped while its port is being opened gets no session', async () => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
  const key = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' }
  const now = Math.floor(Date.now() / 1000)
  const agentToken = await new SignJWT({
    organizationId: 'organization-1',
    tunnelId: 'tunnel-1',
    kind: 'tcp',
    endpointHosts: [],
    endpointPort: 20_000,
    tlsMode: 'terminate',
    region: 'local',
    epoch: 1,
    policy: {},
    maxConcurrentConns: 100,
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test', typ: agentTokenType })
    .setIssuer(tokenIssuer)
    .setAudience(agentTokenAudience)
    .setJti('token')
    .setSubject('authtoken-1')
    .setIssuedAt(now)
    .setExpirationTime(now + 300)
    .sign(privateKey)
  const preparing = Promise.withResolvers<void>()
  const port = Promise.withResolvers<void>()
  const tokens = openAgentTokens(() => Promise.resolve({ keys: [key] }))
  const sessions = new Sessions()
  const agents = new Agents({
    relayId: 'relay-1',
    sessions,
    tokens,
    outage: new Outage({ limitMs: 0 }),
    suspendedHosts: new SuspendedHosts(),
    sockets: new DirectSockets(),
    sessionsMax: 10,
    draining: () => false,
    onChunkEnd: () => undefined,
    async prepare() {
      preparing.resolve()
      await port.promise
    },
    onDatagram: () => undefined,
    onRefused: () => undefined,
    onForged: () => undefined,
    onOpen: () => undefined,
    onClose: () => undefined,
    onPolicy: () => undefined,
    onGrace: () => undefined,
  })
  const server = createServer((socket) => agents.accept(socket, handshake, Buffer.alloc(0)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  await once(socket, 'data')
  const refused = Promise.withResolvers<Refusal>()
  const { session } = openSocketLink('agent', socket, Buffer.alloc(0), {
    onRefused: refused.resolve,
    onWelcome: () => refused.resolve({ code: 'welcome', details: {} }),
    onClose: () => undefined,
  })
  session.hello(agentToken, 'test')

  await preparing.promise
  const at = new Date(Date.now() + 5_000).toISOString()
  agents.revoke({ kind: 'tunnel', id: 'tunnel-1', at })
  port.resolve()

  expect(await refused.promise).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(sessions.size).toBe(0)
  session.close()
  tokens.close()
  agents.close()
  await new Promise((resolve) => server.close(resolve))
})
