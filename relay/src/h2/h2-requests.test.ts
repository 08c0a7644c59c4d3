import { expect, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { h2Get, h2Visitor } from '../testing/h2-visitor.ts'
import { apex, createWorld, host, type World } from '../testing/world.ts'

const certificate = selfSigned(apex)
const worldWithTls = (): Promise<World> => createWorld({ httpsPort: 0, certificate })

test('a request over HTTP/2 reaches an HTTP/1.1 upstream as it was', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((request, response) => {
    response.setHeader('X-Two', ['a', 'b'])
    response.end(
      JSON.stringify({ url: request.url, method: request.method, raw: request.rawHeaders }),
    )
  })
  await world.tunnel(upstream)

  const answer = await h2Get(h2Visitor(world, certificate.cert), {
    ':path': '/a%2Fb/../c?q=%20x&y',
    cookie: ['a=1', 'b=2'],
    'x-twice': ['1', '2'],
    te: 'trailers',
  })

  expect(answer).toMatchObject({ status: 200, reset: 0, headers: { 'x-two': 'a, b' } })
  expect(answer.headers).not.toHaveProperty('connection')
  const { url, method, raw } = JSON.parse(answer.body.toString())
  expect([method, url]).toEqual(['GET', '/a%2Fb/../c?q=%20x&y'])
  const pairs = raw.flatMap((name: string, at: number) =>
    at % 2 ? [] : [`${name}: ${raw[at + 1]}`],
  )
  expect(pairs).toEqual(
    expect.arrayContaining([
      `Host: ${host}`,
      'cookie: a=1; b=2',
      'x-twice: 1',
      'x-twice: 2',
      'X-Forwarded-Proto: https',
    ]),
  )
})
