import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'

import { unusedPort } from '@sluice/kit/unused-port'
import type { AgentTokenClaims } from '@sluice/schema/claims'
import { expect, onTestFinished, test } from 'vitest'

import { Visitor, createWorld, host, type TestAgent, type World } from '../testing/world.ts'

const [kept, forbidden] = ['127.0.0.1', '127.0.0.2']
const policy = { denyIps: [forbidden] }

/** Has the agent bring a token with another policy, as it does when the owner has changed it. */
async function changePolicy(
  world: World,
  agent: TestAgent,
  claims: Partial<AgentTokenClaims>,
): Promise<void> {
  agent.session.renewToken(await world.agentToken({ ...claims, jti: 'newer', policy }))
}

function visitFrom(localAddress: string, port: number): Visitor {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  return new Visitor(socket)
}

/** How a socket ends: the code of its error, or `closed`. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.once('close', () => resolve('closed'))
  })
}

test('a policy that forbids an address resets its raw connections, and no others', async () => {
  const port = await unusedPort()
  await using world = await createWorld({ tcpPorts: { first: port, last: port } })
  const upstream = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  world.use(() => void upstream.close())
  const claims = { kind: 'tcp' as const, endpointHosts: [], endpointPort: port }
  const agent = await world.tunnel(upstream, claims)
  const [friend, stranger] = [visitFrom(kept, port), visitFrom(forbidden, port)]
  for (const visitor of [friend, stranger]) {
    visitor.send('hello')
    await visitor.until((text) => text === 'hello')
  }
  const end = endOf(stranger.socket)

  await changePolicy(world, agent, claims)

  expect(await end).toBe('ECONNRESET')
  friend.send(', still')
  expect(await friend.until((text) => text.endsWith('still'))).toBe('hello, still')
})

test('a policy that forbids an address cuts its WebSockets and endless responses, and no others', async () => {
  await using world = await createWorld()
  const upstream = createHttpServer((_request, response) => void response.write('event\n'))
  upstream.on('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => undefined)
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  world.use(() => {
    upstream.close()
    upstream.closeAllConnections()
  })
  const agent = await world.tunnel(upstream)
  const webSocket = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
  const events = `GET /events HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  const open = async (address: string, request: string, until: string): Promise<Visitor> => {
    const visitor = visitFrom(address, world.relay.httpPort)
    visitor.send(request)
    await visitor.until((text) => text.includes(until))
    return visitor
  }
  const friend = await open(kept, webSocket, '\r\n\r\n')
  const strangers = [
    await open(forbidden, webSocket, '\r\n\r\n'),
    await open(forbidden, events, 'event'),
  ]
  const ends = strangers.map(({ socket }) => endOf(socket))

  await changePolicy(world, agent, {})

  expect(await Promise.all(ends)).toEqual(['ECONNRESET', 'ECONNRESET'])
  friend.send('still here')
  await friend.until((text) => text.endsWith('still here'))
})
