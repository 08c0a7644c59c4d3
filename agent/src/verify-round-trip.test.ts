import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'

import { roundTripPath, verifyRoundTrip } from './verify-round-trip.ts'

const nonce = 'nonce-1'

async function openEdge(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    // A name below localhost, as tunnels have in development.
    url: `http://app.tunnel.localhost:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

function verify(urls: string[], options: { totalMs?: number; signal?: AbortSignal } = {}) {
  return verifyRoundTrip({
    urls,
    nonce,
    basicAuth: { user: 'ada', password: 'pw' },
    signal: options.signal ?? new AbortController().signal,
    totalMs: options.totalMs ?? 10_000,
  })
}

test('it asks for the nonce under the public host, with the credentials of the tunnel', async () => {
  let seen: unknown
  await using edge = await openEdge(({ url, headers }, response) => {
    seen = [url, headers.host, headers.authorization]
    response.end(nonce)
  })

  await verify([edge.url])

  expect(seen).toEqual([
    roundTripPath(nonce),
    new URL(edge.url).host,
    `Basic ${Buffer.from('ada:pw').toString('base64')}`,
  ])
})

test('it waits while the edge does not know the tunnel yet', async () => {
  let asked = 0
  await using edge = await openEdge((_request, response) => {
    asked += 1
    if (asked < 4) response.writeHead(404, { 'sluice-error': 'SLUICE_TUNNEL_UNKNOWN' }).end()
    else response.end(nonce)
  })

  await verify([edge.url])

  expect(asked).toBe(4)
})

test.for(['SLUICE_IP_DENIED', 'SLUICE_BASIC_AUTH_REQUIRED', 'SLUICE_VISITOR_CERTIFICATE_REQUIRED'])(
  'our own policy, %s, shows that visitors reach the tunnel',
  async (code) => {
    await using edge = await openEdge((_request, response) => {
      response.writeHead(403, { 'sluice-error': code }).end()
    })

    await expect(verify([edge.url])).resolves.toBeUndefined()
  },
)

test('somebody else who answers is not taken for our agent', async () => {
  await using edge = await openEdge((_request, response) => {
    response.end('welcome to nginx')
  })

  await expect(verify([edge.url], { totalMs: 200 })).rejects.toMatchObject({
    code: 'SLUICE_ROUND_TRIP_FAILED',
    details: { reason: 'it answered 200' },
  })
})

test('a refused connection is named in the failure', async () => {
  await expect(verify(['http://app.tunnel.localhost:1'], { totalMs: 200 })).rejects.toMatchObject({
    details: { reason: 'the connection was refused' },
  })
})

test('credentials follow a redirect to the tunnel itself, and to nobody else', async () => {
  let leaked = false
  await using evil = await openEdge((_request, response) => {
    leaked = true
    response.end(nonce)
  })
  await using edge = await openEdge((_request, response) => {
    response.writeHead(301, { location: `${evil.url}${roundTripPath(nonce)}` }).end()
  })

  await expect(verify([edge.url], { totalMs: 200 })).rejects.toMatchObject({
    code: 'SLUICE_ROUND_TRIP_FAILED',
  })
  expect(leaked).toBe(false)

  await verify([edge.url, evil.url])
  expect(leaked).toBe(true)
})

test('Ctrl-C ends the waiting at once', async () => {
  const stop = new AbortController()
  await using edge = await openEdge(() => stop.abort(new Error('stopped')))

  await expect(verify([edge.url], { signal: stop.signal })).rejects.toThrow('stopped')
})
