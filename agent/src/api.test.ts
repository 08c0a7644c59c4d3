import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'
import { expect, test } from 'vitest'

import { createApi } from './api.ts'
import {
  fixtureAuthtoken,
  fixtureOrganization,
  fixtureViewer,
  openGraphFixture,
} from './graph-fixture.ts'

async function openServer(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://sluice.localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

const ask = (server: string, timeoutMs = 5_000) =>
  createApi({ server, authtoken: fixtureAuthtoken, timeoutMs }).query(cliOperations.viewer)

test('what the graph refuses is thrown with its code', async () => {
  await using server = await openGraphFixture({
    viewer() {
      throw new SluiceError('SLUICE_TUNNELS_MAX', { max: 3 })
    },
  })

  await expect(ask(server.url)).rejects.toThrow(new SluiceError('SLUICE_TUNNELS_MAX', { max: 3 }))
})

test('one part that is down leaves the rest of the answer', async () => {
  await using server = await openGraphFixture({
    viewer: {
      ...fixtureViewer,
      organization: {
        ...fixtureOrganization,
        plan() {
          throw new SluiceError('SLUICE_SUBGRAPH_UNAVAILABLE')
        },
        tunnels: { nodes: [], pageInfo: { hasNextPage: false } },
      },
    },
    regions: [],
  })
  const api = createApi({ server: server.url, authtoken: fixtureAuthtoken })

  const { data, problems } = await api.queryPartial(cliOperations.status)

  expect(data).toMatchObject({ viewer: { organization: { name: 'Acme', plan: null } } })
  expect(problems).toMatchObject([{ code: 'SLUICE_SUBGRAPH_UNAVAILABLE' }])
})

test.for([
  ['a page', 200, 'text/html', '<html>', 'SLUICE_SERVER_FOREIGN'],
  ['nothing there', 404, 'text/plain', 'no', 'SLUICE_SERVER_FOREIGN'],
  ['a balancer', 502, 'text/html', 'bad gateway', 'SLUICE_SERVER_UNREACHABLE'],
  ['broken JSON', 200, 'application/json', '{"data":', 'SLUICE_SERVER_FOREIGN'],
  ['an empty object', 200, 'application/json', '{}', 'SLUICE_SERVER_FOREIGN'],
  ['an array', 200, 'application/json', '[]', 'SLUICE_SERVER_FOREIGN'],
  [
    'a problem',
    429,
    'application/problem+json',
    '{"code":"SLUICE_RATE_LIMITED"}',
    'SLUICE_RATE_LIMITED',
  ],
] as const)('%s as an answer has its own failure', async ([, status, type, body, code]) => {
  await using server = await openServer((_request, response) => {
    response.writeHead(status, { 'content-type': type }).end(body)
  })

  await expect(ask(server.url)).rejects.toMatchObject({ code })
})

test('a server that is away, silent or endless is unreachable in bounded time and memory', async () => {
  await using silent = await openServer(() => undefined)
  await using endless = await openServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const chunk = Buffer.alloc(256 * 1024, 'x')
    const more = () => {
      while (response.write(chunk));
    }
    response.on('drain', more)
    more()
  })

  const failures = [
    await ask('http://localhost:1').catch(String),
    await ask(silent.url, 100).catch(String),
    await ask(endless.url).catch(String),
  ]

  for (const failure of failures) expect(failure).toContain('does not answer')
})
