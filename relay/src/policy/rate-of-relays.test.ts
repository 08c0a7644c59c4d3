import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'

import { startRedis } from '@sluice/kit/engines'
import { expect, test } from 'vitest'

import { Relays } from '../testing/relays.ts'
import type { World } from '../testing/world.ts'

const perSecond = 50
const burst = 20
const visitorsPerRelay = 3

/** Asks all relays as fast as they answer, for a while, over connections that stay. */
async function flood(worlds: readonly World[], host: string, forMs: number) {
  const agent = new Agent({ keepAlive: true })
  const count = { passed: 0, refused: 0 }
  const startMs = performance.now()
  const ask = async ({ relay }: World): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
      const options = { agent, host: '127.0.0.1', port: relay.httpPort, headers: { host } }
      request(options, resolve).on('error', reject).end()
      const answer = await promise
      answer.resume()
      await once(answer, 'end')
      if (answer.statusCode === 200) count.passed += 1
      else if (answer.headers['sluice-error'] === 'SLUICE_REQUESTS_MAX') count.refused += 1
      else throw new Error(`status ${answer.statusCode}`)
    }
  }
  try {
    await Promise.all(
      worlds.flatMap((world) => Array.from({ length: visitorsPerRelay }, () => ask(world))),
    )
  } finally {
    agent.destroy()
  }
  return { ...count, seconds: (performance.now() - startMs) / 1000 }
}

test('two relays let one rate through between them, and go on so when Redis stops', async () => {
  await using stack = new AsyncDisposableStack()
  const redis = await startRedis()
  stack.defer(() => redis.close())
  const all = stack.use(new Relays(redis.url))
  const worlds = [await all.start('a'), await all.start('b')]
  const claims = { ...all.claims(), pooling: true, policy: { requestRate: { perSecond, burst } } }
  const [host = ''] = claims.endpointHosts
  for (const world of worlds) {
    await world.tunnel(await world.upstream((_request, response) => response.end('ok')), claims)
  }

  const together = await flood(worlds, host, 3_000)
  await redis.close()
  const alone = await flood(worlds, host, 3_000)

  for (const { passed, refused, seconds } of [together, alone]) {
    // One burst for each relay that comes to know of the other, and room for a machine that is slow to tell.
    expect(passed).toBeLessThanOrEqual(perSecond * seconds + 2 * burst + perSecond)
    expect(passed).toBeGreaterThanOrEqual(perSecond * seconds * 0.4)
    expect(refused).toBeGreaterThan(0)
  }
})
