import type { RequestListener } from 'node:http'
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib'

import { expect, test } from 'vitest'

import { createWorld, host, type World } from '../testing/world.ts'

const text = 'the quick brown fox '.repeat(500)
const policy = { compression: true }

async function serve(world: World, listener: RequestListener): Promise<void> {
  await world.tunnel(await world.upstream(listener), { policy })
}

async function ask(world: World, ...lines: string[]) {
  const [method = 'GET', ...fields] = lines[0]?.includes(':') === false ? lines : ['GET', ...lines]
  const answer = await world.exchange(
    [`${method} / HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...fields, '', ''].join('\r\n'),
  )
  const border = answer.indexOf('\r\n\r\n')
  const head = answer.slice(0, border)
  const rest = Buffer.from(answer.slice(border + 4), 'latin1')
  return { head, body: /transfer-encoding: chunked/i.test(head) ? unchunked(rest) : rest }
}

function unchunked(bytes: Buffer): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const length = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (length === 0) break
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length))
    at = lineEnd + 2 + length + 2
  }
  return Buffer.concat(pieces)
}

const plain: RequestListener = (_request, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.setHeader('Content-Length', text.length)
  response.setHeader('ETag', '"v1"')
  response.setHeader('Vary', 'Origin')
  response.setHeader('Accept-Ranges', 'bytes')
  response.end(text)
}

test.for([
  ['gzip', 'gzip', gunzipSync],
  ['gzip;q=0.5, br', 'br', brotliDecompressSync],
  ['br;q=0, gzip', 'gzip', gunzipSync],
  ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
] as const)(
  'text is compressed as %s asks for, and its head says what it is now',
  async ([accept, coding, decode]) => {
    await using world = await createWorld()
    await serve(world, plain)

    const { head, body } = await ask(world, `Accept-Encoding: ${accept}`)

    expect(head).toMatch(new RegExp(`^Content-Encoding: ${coding}\\r?$`, 'm'))
    expect(head).toMatch(/^Vary: Origin, Accept-Encoding\r?$/m)
    expect(head).toMatch(/^ETag: W\/"v1"\r?$/m)
    expect(head).not.toMatch(/content-length|accept-ranges/i)
    expect(decode(body).toString()).toBe(text)
    expect(body.length).toBeLessThan(text.length / 5)
  },
)

test('a text of many reads is compressed as it was sent', async () => {
  await using world = await createWorld()
  const long = Array.from({ length: 200_000 }, (_, index) => `line ${index}\n`).join('')
  await serve(world, (_request, response) => {
    response.setHeader('Content-Type', 'text/plain')
    response.end(long)
  })

  const { body } = await ask(world, 'Accept-Encoding: br')

  expect(brotliDecompressSync(body).toString()).toBe(long)
})

test('who takes no coding gets the text as it is, and learns that it varies', async () => {
  await using world = await createWorld()
  await serve(world, plain)

  const { head, body } = await ask(world, 'Accept-Encoding: identity')

  expect(head).toMatch(/^Vary: Origin, Accept-Encoding\r?$/m)
  expect(head).toMatch(/^ETag: "v1"\r?$/m)
  expect(head).toMatch(new RegExp(`^Content-Length: ${text.length}\\r?$`, 'im'))
  expect(body.toString()).toBe(text)
})

test('the answer to HEAD has the head that GET would have', async () => {
  await using world = await createWorld()
  await serve(world, plain)

  const { head, body } = await ask(world, 'HEAD', 'Accept-Encoding: gzip')

  expect(head).toMatch(/^Content-Encoding: gzip\r?$/m)
  expect(head).not.toMatch(/content-length/i)
  expect(body.length).toBe(0)
})

test.for<[string, Record<string, string>, string[], number?]>([
  ['what is compressed already', { 'Content-Encoding': 'br' }, []],
  ['a picture', { 'Content-Type': 'image/png' }, []],
  ['what says no-transform', { 'Cache-Control': 'public, no-transform' }, []],
  ['what carries a digest of its bytes', { 'Content-Digest': 'sha-256=:AA==:' }, []],
  ['an answer to a range', {}, ['Range: bytes=0-1']],
  ['a request that says no-transform', {}, ['Cache-Control: no-transform']],
  ['a part', { 'Content-Range': 'bytes 0-1/2' }, [], 206],
])('%s passes as it is', async ([, fields, lines, status = 200]) => {
  await using world = await createWorld()
  await serve(world, (_request, response) => {
    response.writeHead(status, { 'Content-Type': 'text/plain', ...fields })
    response.end(text)
  })

  const { head, body } = await ask(world, 'Accept-Encoding: gzip, br', ...lines)

  expect(head).not.toMatch(/content-encoding: gzip/i)
  expect(body.toString()).toBe(text)
})

test('events are there as they are sent, not when the coder has enough', async () => {
  await using world = await createWorld()
  const go = Promise.withResolvers<void>()
  await serve(world, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: one\n\n')
    void go.promise.then(() => response.end('data: two\n\n'))
  })
  const visitor = await world.visitor()
  const seen: string[] = []
  const gunzip = createGunzip()
  gunzip.on('data', (piece: Buffer) => {
    seen.push(piece.toString())
    // The second comes only because the first one has.
    go.resolve()
  })
  let fed = 0
  visitor.send(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n`,
  )
  const feed = (received: string): boolean => {
    const border = received.indexOf('\r\n\r\n')
    if (border < 0) return false
    const body = unchunked(Buffer.from(received.slice(border + 4), 'latin1'))
    gunzip.write(body.subarray(fed))
    fed = body.length
    return received.endsWith('0\r\n\r\n')
  }
  await visitor.until(feed)
  await new Promise((resolve) => gunzip.end(resolve))

  expect(seen.join('')).toBe('data: one\n\ndata: two\n\n')
})

test('an upstream that breaks off is seen as broken off, never as a shorter text', async () => {
  await using world = await createWorld()
  await serve(world, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 1_000_000 })
    response.write(text, () => response.destroy())
  })
  const visitor = await world.visitor()
  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nAccept-Encoding: gzip\r\n\r\n`)

  expect(await visitor.rest()).not.toMatch(/0\r\n\r\n$/)
})

test('a visitor that does not read holds no more than windows', async () => {
  await using world = await createWorld()
  let sent = 0
  const piece = Buffer.from(Array.from({ length: 65_536 }, () => 32 + Math.random() * 90))
  await serve(world, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' })
    const send = (): void => {
      while (!response.destroyed && response.write(piece)) sent += piece.length
    }
    response.on('drain', send)
    send()
  })
  const visitor = await world.visitor()
  visitor.socket.pause()
  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nAccept-Encoding: gzip\r\n\r\n`)

  let before = -1
  while (sent !== before) {
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 500))
  }

  expect(sent).toBeLessThan(64 * 1_048_576)
})
