import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { apex, createWorld, host } from '../testing/world.ts'

interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

/** All frame types of version 1, by the names that it gave them. */
const types = {
  hello: 1,
  welcome: 2,
  ping: 7,
  pong: 8,
  open: 9,
  head: 10,
  data: 11,
  end: 12,
  credit: 14,
}
const endFlag = 0x10
const windowBytes = 65_536

/**
 * An agent as it was released with version 1, written against its document alone: nothing of today's wire is used here.
 * It answers each request with the number of body bytes it got.
 */
class Version1Agent {
  readonly frames: Frame[] = []
  readonly #socket: Socket
  #bytes = Buffer.alloc(0)
  #messages = Buffer.alloc(0)
  readonly #bodies = new Map<number, number>()
  #upgraded = false
  readonly welcomed = Promise.withResolvers<Record<string, unknown>>()
  readonly closed = Promise.withResolvers<void>()

  constructor(port: number, agentToken: string) {
    this.#socket = connect({ port, host: '127.0.0.1' })
    this.#socket.write(
      `GET /_sluice/session HTTP/1.1\r\nHost: edge.${apex}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#socket.on('close', () => this.closed.resolve())
    const windows = { streamWindowBytes: windowBytes, sessionWindowBytes: windowBytes }
    this.#hello = JSON.stringify({
      versions: [1],
      features: [],
      agentToken,
      agentVersion: '0.1.0',
      ...windows,
    })
  }

  readonly #hello: string

  destroy(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    if (!this.#upgraded) {
      const end = this.#bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      this.#upgraded = true
      this.#bytes = this.#bytes.subarray(end + 4)
      this.send(types.hello, 0, Buffer.from(this.#hello))
    }
    this.#readMessages()
    this.#readFrames()
  }

  /** RFC 6455, from a server: unmasked, and one message after another. */
  #readMessages(): void {
    while (this.#bytes.length >= 2) {
      const size = (this.#bytes[1] ?? 0) & 0x7f
      const extended = size < 126 ? 0 : size === 126 ? 2 : 8
      if (this.#bytes.length < 2 + extended) return
      const length =
        extended === 0
          ? size
          : extended === 2
            ? this.#bytes.readUInt16BE(2)
            : Number(this.#bytes.readBigUInt64BE(2))
      const start = 2 + extended
      if (this.#bytes.length < start + length) return
      const isBinary = ((this.#bytes[0] ?? 0) & 0x0f) <= 2
      if (isBinary)
        this.#messages = Buffer.concat([
          this.#messages,
          this.#bytes.subarray(start, start + length),
        ])
      this.#bytes = this.#bytes.subarray(start + length)
    }
  }

  #readFrames(): void {
    while (this.#messages.length >= 8) {
      const length = this.#messages.readUIntBE(1, 3)
      if (this.#messages.length < 8 + length) return
      const first = this.#messages[0] ?? 0
      const frame: Frame = {
        type: first & 0x0f,
        flags: first & 0xf0,
        streamId: this.#messages.readUInt32BE(4),
        payload: Buffer.from(this.#messages.subarray(8, 8 + length)),
      }
      this.#messages = this.#messages.subarray(8 + length)
      this.frames.push(frame)
      this.#handle(frame)
    }
  }

  #handle({ type, flags, streamId, payload }: Frame): void {
    const ended = (flags & endFlag) !== 0 || type === types.end
    if (type === types.welcome) this.welcomed.resolve(JSON.parse(payload.toString()))
    if (type === types.ping) this.send(types.pong, 0, payload)
    if (type === types.open) this.#bodies.set(streamId, 0)
    if (type === types.data && payload.length > 0) {
      this.#bodies.set(streamId, (this.#bodies.get(streamId) ?? 0) + payload.length)
      const credit = Buffer.alloc(4)
      credit.writeUInt32BE(payload.length)
      this.send(types.credit, 0, credit)
      if (!ended) this.send(types.credit, streamId, credit)
    }
    if (ended && streamId !== 0) this.#answer(streamId)
  }

  #answer(streamId: number): void {
    const body = String(this.#bodies.get(streamId))
    this.send(
      types.head,
      streamId,
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`),
    )
    this.send(types.data | endFlag, streamId, Buffer.from(body))
  }

  /** Each frame in a message of its own, masked as RFC 6455 asks of clients. */
  send(typeAndFlags: number, streamId: number, payload: Buffer): void {
    const frame = Buffer.alloc(8 + payload.length)
    frame[0] = typeAndFlags
    frame.writeUIntBE(payload.length, 1, 3)
    frame.writeUInt32BE(streamId, 4)
    payload.copy(frame, 8)
    const mask = randomBytes(4)
    for (let at = 0; at < frame.length; at += 1) frame[at] = (frame[at] ?? 0) ^ (mask[at & 3] ?? 0)
    const header =
      frame.length < 126
        ? Buffer.from([0x82, 0x80 | frame.length])
        : Buffer.from([0x82, 0xfe, frame.length >> 8, frame.length & 0xff])
    this.#socket.write(Buffer.concat([header, mask, frame]))
  }
}

test('an agent of version 1 is welcomed as such, serves requests and uploads beyond its window, and hears nothing newer', async () => {
  await using world = await createWorld()
  const agent = new Version1Agent(world.relay.httpPort, await world.agentToken())
  world.use(() => agent.destroy())
  const body = Buffer.alloc(5 * windowBytes, 'x')

  const welcome = await agent.welcomed.promise
  const answer = await world.exchange(
    `GET /a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  )
  const visitor = await world.visitor()
  visitor.send(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  visitor.send(body)
  const uploaded = await visitor.rest()

  expect(welcome).toMatchObject({ version: 1, endpointHosts: [host] })
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n0$/)
  expect(uploaded.endsWith(`\r\n\r\n${body.length}`)).toBe(true)
  const opened = agent.frames.find(({ type }) => type === types.open)?.payload
  const headStart = 6 + (opened?.[5] ?? 0)
  const hostStart = headStart + (opened?.readUInt16BE(1) ?? 0)
  expect(opened?.toString('latin1', 6, headStart)).toBe('127.0.0.1')
  expect(opened?.toString('latin1', headStart)).toMatch(/^GET \/a HTTP\/1\.1\r\n/)
  expect(opened?.toString('latin1', hostStart, hostStart + opened.readUInt16BE(3))).toBe(host)
  expect(agent.frames.map(({ type }) => type).filter((type) => type > types.credit)).toEqual([])
})

test('a peer of no version that is spoken here is refused', async () => {
  await using world = await createWorld()
  const agent = new Version1Agent(world.relay.httpPort, 'x')
  world.use(() => agent.destroy())
  const garbage = new Version1Agent(world.relay.httpPort, 'x')
  world.use(() => garbage.destroy())

  garbage.send(0xff, 5, Buffer.from('what is this'))

  await agent.closed.promise
  await garbage.closed.promise
  expect(
    JSON.parse(agent.frames.find(({ type }) => type === 3)?.payload.toString() ?? '{}'),
  ).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
})
