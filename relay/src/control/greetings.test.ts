import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { Session } from '@sluice/wire'
import { expect, test } from 'vitest'

import { apex, createWorld, portOf, type World } from '../testing/world.ts'
import { Greetings } from './greetings.ts'

const handshake =
  `GET /_sluice/session HTTP/1.1\r\nHost: edge.${apex}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

/** A link whose agent never says hello. */
async function silentLink(world: World): Promise<Socket> {
  const socket = connect({ port: world.relay.httpPort, host: '127.0.0.1' })
  world.use(() => void socket.destroy())
  socket.on('error', () => undefined)
  socket.write(handshake)
  await once(socket, 'data')
  return socket
}

test('links without a right token take no place of a session', async () => {
  await using world = await createWorld({ sessionsMax: 2 })
  const upstream = await world.upstream((_request, response) => response.end('ok'))
  await Promise.all(Array.from({ length: 5 }, () => silentLink(world)))

  const first = await world.tunnel(upstream)
  await world.tunnel(upstream, { tunnelId: 'tunnel-2', endpointHosts: [`two.${apex}`] })

  expect(first.session.closed).toBe(false)
  await expect(world.dial(portOf(upstream), await world.agentToken())).rejects.toThrow(
    /SLUICE_SESSIONS_MAX/,
  )
})

test('of too many links without a token the oldest give way to those that come', () => {
  const greetings = new Greetings(2)
  const reasons: string[] = []
  const links = ['first', 'second', 'third'].map((name) => {
    const session = new Session(
      'relay',
      {
        now: () => 0,
        setTimer: () => () => undefined,
        defer: () => undefined,
        send: () => true,
        close: () => undefined,
      },
      { onClose: () => reasons.push(name) },
    )
    greetings.began(session)
    return session
  })

  expect(reasons).toEqual(['first'])
  expect(greetings.size).toBe(2)
  for (const session of links) greetings.ended(session)
  expect(greetings.size).toBe(0)
})
