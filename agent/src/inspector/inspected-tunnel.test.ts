import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'

import { expect, test, vi } from 'vitest'

import type { CommandContext, Io } from '../commands/context.ts'
import { runHttp } from '../commands/http.ts'
import { readSettings } from '../config.ts'
import { fixtureAuthtoken } from '../graph-fixture.ts'
import { createOutput } from '../output.ts'
import { openPlatformFixture } from '../platform-fixture.ts'
import { Interrupted } from '../problem.ts'
import type { ExchangeDetail, ExchangeSummary } from './shown-exchange.ts'

// A real relay on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

/** `sluice http` with an inspector, a real relay before it and a service behind it. */
async function openWorld() {
  await using stack = new AsyncDisposableStack()
  const platform = stack.use(await openPlatformFixture())
  const service = createServer((request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      setImmediate(() => response.destroy())
      return
    }
    request.pipe(response)
  }).listen(0, '127.0.0.1')
  await once(service, 'listening')
  stack.defer(() => {
    service.close()
    service.closeAllConnections()
  })
  const env = { SLUICE_AUTHTOKEN: fixtureAuthtoken, XDG_CONFIG_HOME: '/nowhere' }
  const stdout = new PassThrough()
  const stop = new AbortController()
  const context: CommandContext = {
    settings: await readSettings({ server: platform.graph.url }, env),
    output: createOutput({ stdout, stderr: stdout, json: true, quiet: false, color: false }),
    io: { env, signal: stop.signal } as unknown as Io,
  }
  const target = String((service.address() as AddressInfo).port)
  const running = runHttp(target, { name: 'app', inspectPort: 0 }, context)
  stack.defer(async () => {
    stop.abort(new Interrupted())
    await running
  })
  const [line] = (await once(createInterface(stdout), 'line')) as [string]
  const { inspectorUrl } = JSON.parse(line) as { inspectorUrl: string }
  const owned = stack.move()
  const read = async (path: string): Promise<unknown> => (await fetch(inspectorUrl + path)).json()
  return {
    platform,
    list: async () =>
      ((await read('/api/exchanges')) as { exchanges: ExchangeSummary[] }).exchanges,
    detail: async (id: string) => (await read(`/api/exchanges/${id}`)) as ExchangeDetail,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

test('what visitors send and get is seen as it passed', async () => {
  await using world = await openWorld()

  const visit = await world.platform.visit('app', '/echo?x=1', {
    method: 'POST',
    headers: { 'x-mark': 'one', 'transfer-encoding': 'chunked' },
    body: 'a body in chunks',
  })

  expect(visit.body).toBe('a body in chunks')
  const [first] = await world.list()
  expect(first).toMatchObject({
    tunnel: 'app',
    method: 'POST',
    path: '/echo?x=1',
    status: 200,
    requestBytes: 16,
    responseBytes: 16,
  })
  const detail = await world.detail(first?.id ?? '')
  expect(detail.requestHead.fields).toContainEqual(['x-mark', 'one'])
  expect(detail.requestBody.text).toBe('a body in chunks')
  expect(detail.responseBody.text).toBe('a body in chunks')
  // The check of the way through the public address is the agent’s own affair.
  expect(await world.list()).toHaveLength(1)
})

test('a large body passes whole, and the beginning of it is kept', async () => {
  await using world = await openWorld()
  const body = Buffer.alloc(3 * 1024 * 1024, 'x')

  const visit = await world.platform.visit('app', '/large', { method: 'POST', body })

  expect(visit.body.length).toBe(body.length)
  const [first] = await world.list()
  const { requestBody, responseBody } = await world.detail(first?.id ?? '')
  expect(requestBody).toMatchObject({ totalBytes: body.length, keptBytes: 512 * 1024 })
  expect(responseBody).toMatchObject({ totalBytes: body.length, keptBytes: 512 * 1024 })
})

test('a response that broke off is shown as one', async () => {
  await using world = await openWorld()

  await expect(world.platform.visit('app', '/cut')).rejects.toThrow(/aborted|reset|terminated/)

  const [first] = await world.list()
  expect(first).toMatchObject({ path: '/cut', status: 200, isCut: true })
})
