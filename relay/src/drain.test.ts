import { expect, inject, test } from 'vitest'

import { ControlPlane } from './testing/control-plane.ts'
import { Relays } from './testing/relays.ts'

/** Far less than the ten seconds that agents get to move, and far more than it takes not to wait for them. */
const atOnceMsMax = 8_000

test('a relay whose agents have nowhere to go does not wait for them, but for what is in flight', async () => {
  await using controlPlane = await new ControlPlane().listen()
  controlPlane.otherRelaysReady = 0
  await using all = new Relays(inject('redisUrl'))
  const world = await all.start('lone', {
    drainMs: 60_000,
    registration: {
      gatewayUrl: controlPlane.url,
      relayKey: 'relay-key',
      edgeUrl: 'ws://edge.tunnel.test/_sluice/session',
      publicHttpUrl: 'http://tunnel.test',
    },
  })
  const claims = all.claims()
  const arrived = Promise.withResolvers<() => void>()
  const upstream = await world.upstream((_request, response) => {
    response.write('begun ')
    arrived.resolve(() => response.end('and ended'))
  })
  const agent = await world.tunnel(upstream, claims)
  const visitor = await world.visitor()
  visitor.send(`GET / HTTP/1.1\r\nHost: ${claims.endpointHosts[0]}\r\n\r\n`)
  const finish = await arrived.promise

  const startMs = performance.now()
  const closing = world.relay.close()
  await agent.goneAway
  await expect.poll(() => takesVisitors(world)).toBe(false)
  finish()

  expect(await visitor.rest()).toContain('and ended')
  await closing
  expect(performance.now() - startMs).toBeLessThan(atOnceMsMax)
})

async function takesVisitors(world: Awaited<ReturnType<Relays['start']>>): Promise<boolean> {
  return world.visitor().then(
    () => true,
    () => false,
  )
}
