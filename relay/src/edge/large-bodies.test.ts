import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import { expect, test } from 'vitest'

import { createWorld, host } from '../testing/world.ts'

/** More than windows, slabs and the kernel's buffers hold together. */
const bodyBytes = 24 * 1_048_576

/** A body in which no two places look alike, so that a piece that was overwritten or went astray is seen. */
function* pieces(): Generator<Buffer> {
  for (let at = 0; at < bodyBytes; at += 65_536) {
    const piece = Buffer.alloc(65_536)
    for (let word = 0; word < piece.length; word += 4) piece.writeUInt32LE(at + word, word)
    yield piece
  }
}

function digestOf(parts: Iterable<Buffer>): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

async function digestOfBody(message: IncomingMessage, onFirst: () => Promise<void>) {
  const hash = createHash('sha256')
  let first = true
  for await (const part of message) {
    hash.update(part as Buffer)
    if (first) await onFirst()
    first = false
  }
  return hash.digest('hex')
}

/** Writes the pieces as fast as the socket takes them; calls back the first time that it takes no more. */
async function pour(
  socket: { write(piece: Buffer): boolean; once(event: 'drain', listener: () => void): unknown },
  framed: (piece: Buffer) => Buffer,
  onFull: () => void,
): Promise<void> {
  for (const piece of pieces()) {
    if (socket.write(framed(piece))) continue
    onFull()
    await new Promise<void>((resolve) => socket.once('drain', resolve))
  }
}

const asChunk = (piece: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`${piece.length.toString(16)}\r\n`),
    piece,
    Buffer.from('\r\n', 'latin1'),
  ])

/** Everything behind the head. */
async function bodyOf(socket: Socket, onHead: () => Promise<void>): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.resume()
  for await (const part of socket) {
    parts.push(part as Buffer)
    if (parts.length === 1) await onHead()
  }
  const all = Buffer.concat(parts)
  return all.subarray(all.indexOf('\r\n\r\n') + 4)
}

test.for(['Content-Length', 'chunks'])(
  'a large response by %s arrives whole, though its visitor pauses',
  async (framing) => {
    await using world = await createWorld()
    const full = Promise.withResolvers<void>()
    const upstream = await world.upstream((_request, response) => {
      if (framing === 'Content-Length') response.setHeader('Content-Length', bodyBytes)
      void pour(
        response,
        (piece) => piece,
        () => full.resolve(),
      ).then(() => response.end())
    })
    await world.tunnel(upstream)
    const { socket } = await world.visitor()
    socket.removeAllListeners('data')
    // HTTP/1.0 has no chunks: then the end of the connection is the end of the body.
    socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`)

    // Everything between upstream and visitor is full before the visitor reads on.
    const body = await bodyOf(socket, () => full.promise)

    expect(body.length).toBe(bodyBytes)
    expect(digestOf([body])).toBe(digestOf(pieces()))
  },
)

test.for(['Content-Length', 'chunks'])(
  'a large upload by %s arrives whole, though its upstream pauses',
  async (framing) => {
    await using world = await createWorld()
    const full = Promise.withResolvers<void>()
    const upstream = await world.upstream((request, response) => {
      void digestOfBody(request, () => full.promise).then((digest) => response.end(digest))
    })
    await world.tunnel(upstream)
    const visitor = await world.visitor()
    const chunked = framing === 'chunks'
    const header = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bodyBytes}`

    visitor.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${header}\r\n\r\n`)
    await pour(
      visitor.socket,
      (piece) => (chunked ? asChunk(piece) : piece),
      () => full.resolve(),
    )
    if (chunked) visitor.send('0\r\n\r\n')

    expect(await visitor.rest()).toContain(digestOf(pieces()))
  },
)
