import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { openAgentSession } from './agent-session.ts'

interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

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

/** A relay as it was released with version 1, written against its document alone: nothing of today's wire is used here. */
class Version1Relay implements AsyncDisposable {
  readonly frames: Frame[] = []
  readonly #server = createServer((socket) => this.#accept(socket))
  #socket: Socket | undefined
  #bytes = Buffer.alloc(0)
  #messages = Buffer.alloc(0)
  #upgraded = false
  #arrived = Promise.withResolvers<void>()

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/_sluice/session`
  }

  #accept(socket: Socket): void {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      if (!this.#upgraded && !this.#upgrade(socket)) return
      this.#readMessages()
      this.#readFrames()
    })
  }

  #upgrade(socket: Socket): boolean {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end < 0) return false
    const key = /sec-websocket-key: (\S+)/i.exec(this.#bytes.toString('latin1'))?.[1] ?? ''
    const accept = createHash('sha1')
      .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    this.#bytes = this.#bytes.subarray(end + 4)
    this.#upgraded = true
    return true
  }

  /** RFC 6455, from a client: always masked. */
  #readMessages(): void {
    while (this.#bytes.length >= 6) {
      const size = (this.#bytes[1] ?? 0) & 0x7f
      const extended = size < 126 ? 0 : size === 126 ? 2 : 8
      if (this.#bytes.length < 6 + extended) return
      const length =
        extended === 0
          ? size
          : extended === 2
            ? this.#bytes.readUInt16BE(2)
            : Number(this.#bytes.readBigUInt64BE(2))
      const start = 6 + extended
      if (this.#bytes.length < start + length) return
      const mask = this.#bytes.subarray(2 + extended, start)
      const body = Buffer.from(this.#bytes.subarray(start, start + length))
      for (let at = 0; at < body.length; at += 1) body[at] = (body[at] ?? 0) ^ (mask[at & 3] ?? 0)
      if (((this.#bytes[0] ?? 0) & 0x0f) <= 2)
        this.#messages = Buffer.concat([this.#messages, body])
      this.#bytes = this.#bytes.subarray(start + length)
    }
  }

  #readFrames(): void {
    while (this.#messages.length >= 8) {
      const length = this.#messages.readUIntBE(1, 3)
      if (this.#messages.length < 8 + length) return
      const first = this.#messages[0] ?? 0
      const payload = Buffer.from(this.#messages.subarray(8, 8 + length))
      const frame = {
        type: first & 0x0f,
        flags: first & 0xf0,
        streamId: this.#messages.readUInt32BE(4),
        payload,
      }
      this.#messages = this.#messages.subarray(8 + length)
      this.frames.push(frame)
      this.#handle(frame)
    }
    this.#arrived.resolve()
    this.#arrived = Promise.withResolvers()
  }

  #handle({ type, streamId, payload }: Frame): void {
    if (type === types.hello) {
      const windows = { streamWindowBytes: windowBytes, sessionWindowBytes: windowBytes }
      const welcome = {
        version: 1,
        features: [],
        sessionId: 's',
        relayId: 'r',
        expiresInMs: 300_000,
        endpointHosts: ['app.test'],
        ...windows,
      }
      this.send(types.welcome, 0, Buffer.from(JSON.stringify(welcome)))
      this.send(types.ping, 0, Buffer.from('eight by'))
    }
    if (type !== types.data || payload.length === 0) return
    const credit = Buffer.alloc(4)
    credit.writeUInt32BE(payload.length)
    this.send(types.credit, 0, credit)
    this.send(types.credit, streamId, credit)
  }

  send(typeAndFlags: number, streamId: number, payload: Buffer): void {
    const frame = Buffer.alloc(8 + payload.length)
    frame[0] = typeAndFlags
    frame.writeUIntBE(payload.length, 1, 3)
    frame.writeUInt32BE(streamId, 4)
    payload.copy(frame, 8)
    const header =
      frame.length < 126
        ? Buffer.from([0x82, frame.length])
        : Buffer.from([0x82, 126, frame.length >> 8, frame.length & 0xff])
    this.#socket?.write(Buffer.concat([header, frame]))
  }

  open(streamId: number, head: string, flags: number, ended: boolean): void {
    const prefix = Buffer.from([flags, 0, 0, 0, 0, 9])
    this.send(
      types.open | (ended ? endFlag : 0),
      streamId,
      Buffer.concat([prefix, Buffer.from(`192.0.2.7${head}`)]),
    )
  }

  /** Waits for the end of a stream; answers its head and body. */
  async answer(streamId: number): Promise<{ head: string; body: Buffer }> {
    const own = () => this.frames.filter((frame) => frame.streamId === streamId)
    const isEnd = ({ type, flags }: Frame) => type === types.end || (flags & endFlag) !== 0
    while (!own().some(isEnd)) await this.#arrived.promise
    const joined = (type: number) =>
      Buffer.concat(
        own()
          .filter((frame) => frame.type === type)
          .map(({ payload }) => payload),
      )
    return { head: joined(types.head).toString('latin1'), body: joined(types.data) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.destroy()
    this.#server.close()
  }
}

test('a relay of version 1 is served: responses beyond its window, uploads in chunks, pings, and nothing newer', async () => {
  await using relay = new Version1Relay()
  const large = Buffer.alloc(5 * windowBytes, 'y')
  const upstream = createHttpServer((request, response) => {
    if (request.method === 'GET') response.end(large)
    else request.on('data', () => undefined).on('end', () => response.end('taken'))
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const agent = openAgentSession({
    edges: [{ url: await relay.listen(), region: 'local' }],
    agentToken: () => Promise.resolve('token'),
    upstream: { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port, tls: false },
    hostHeader: 'preserve',
    agentVersion: '9.9.9',
  })
  await once(agent, 'online')

  relay.open(1, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n', 0, true)
  const download = await relay.answer(1)
  relay.open(2, 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n', 2, false)
  relay.send(types.data, 2, Buffer.from('one'))
  relay.send(types.end, 2, Buffer.from('x-sum: 3\r\n'))
  const upload = await relay.answer(2)

  const [hello] = relay.frames
  expect(JSON.parse(hello?.payload.toString() ?? '{}').versions).toContain(1)
  expect(download.head).toMatch(/^HTTP\/1\.1 200 /)
  expect(download.body.equals(large)).toBe(true)
  expect(upload.body.toString()).toBe('taken')
  expect(relay.frames.find(({ type }) => type === types.pong)?.payload.toString()).toBe('eight by')
  expect(relay.frames.map(({ type }) => type).filter((type) => type > types.credit)).toEqual([])

  await agent.close({ graceMs: 0 })
  upstream.close()
  upstream.closeAllConnections()
})
