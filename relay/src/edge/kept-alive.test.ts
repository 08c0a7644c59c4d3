import { createServer, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { createWorld, host, portOf, type World } from '../testing/world.ts'

/**
 * An upstream that answers the first request of each connection, and at the second hangs up without a word: what a
 * kept-alive connection looks like that died just as it was taken.
 */
async function dyingUpstream(
  world: World,
  partial = '',
): Promise<{ port: number; heads: string[] }> {
  const heads: string[] = []
  const server = createServer((socket: Socket) => {
    let served = 0
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      heads.push(chunk.toString('latin1').split('\r\n')[0] ?? '')
      served += 1
      if (served === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      else if (partial === '') socket.destroy()
      else socket.end(partial)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.use(() => void server.close())
  return { port: portOf(server), heads }
}

const send = (line: string, body = ''): string =>
  `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`

test.for(['GET /2', 'HEAD /2', 'OPTIONS /2'])(
  '%s on a kept-alive connection that died is tried once more',
  async (line) => {
    await using world = await createWorld()
    const { port, heads } = await dyingUpstream(world)
    await world.tunnel(port)
    await world.exchange(send('GET /1'))

    expect(await world.exchange(send(line))).toMatch(/^HTTP\/1\.1 200 /)
    expect(heads).toEqual(['GET /1 HTTP/1.1', `${line} HTTP/1.1`, `${line} HTTP/1.1`])
  },
)

test.for([
  ['POST /2', ''],
  ['POST /2', 'body'],
  ['PUT /2', 'body'],
  ['DELETE /2', ''],
  ['GET /2', 'body'],
] as const)('%s with “%s” is not, since it may have been carried out', async ([line, body]) => {
  await using world = await createWorld()
  const { port, heads } = await dyingUpstream(world)
  await world.tunnel(port)
  await world.exchange(send('GET /1'))

  expect(await world.exchange(send(line, body))).toContain('sluice-error: SLUICE_UPSTREAM_INVALID')
  expect(heads.filter((head) => head.startsWith(line)).length).toBe(1)
})

test('a response that had begun is not asked for again', async () => {
  await using world = await createWorld()
  const { port, heads } = await dyingUpstream(world, 'HTTP/1.1 200 OK\r\nConte')
  await world.tunnel(port)
  await world.exchange(send('GET /1'))

  expect(await world.exchange(send('GET /2'))).toMatch(/^HTTP\/1\.1 502 /)
  expect(heads.length).toBe(2)
})
