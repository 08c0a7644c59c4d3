import { once } from 'node:events'
import { createServer } from 'node:http'

import { expect, test } from 'vitest'

import { createMetrics, listen, openAdminServer } from './metrics.ts'

/** A server that answers when it is told to. */
async function openSlowServer(closeGraceMs: number) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const server = createServer((_request, response) => {
    void released.then(() => response.end('done'))
  })
  const listening = await listen(server, 0, '127.0.0.1', closeGraceMs)
  const asking = fetch(`http://127.0.0.1:${listening.port}`)
  asking.catch(() => undefined)
  await once(server, 'request')
  return { asking, release: () => release(), close: () => listening.close() }
}

test('a request under way when a part closes is still answered', async () => {
  const { asking, release, close } = await openSlowServer(10_000)

  const closed = close()
  release()

  expect(await (await asking).text()).toBe('done')
  await closed
})

test('a request that does not end is cut, so that a part does', async () => {
  const { asking, close } = await openSlowServer(50)

  await close()

  await expect(asking).rejects.toThrow('fetch failed')
})

test('a look at the figures that fails takes nothing else down', async () => {
  const metrics = createMetrics('test')
  const admin = await openAdminServer({
    port: 0,
    metrics,
    notReady: () => Promise.reject(new Error('cannot be told')),
  })
  const statusOf = async (path: string) =>
    (await fetch(`http://127.0.0.1:${admin.port}${path}`)).status

  expect(await statusOf('/readyz')).toBe(503)
  expect(await statusOf('/healthz')).toBe(200)
  await admin.close()
})
