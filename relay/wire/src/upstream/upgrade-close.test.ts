import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { frameFlag, frameType } from '../frame.ts'
import { openFlag, writeOpenPrefix } from '../open-head.ts'
import { TunnelStream, unowned, type StreamCarrier } from '../stream.ts'
import type { Exchanged } from './exchange-report.ts'
import { Forwarder } from './forwarder.ts'

const head = Buffer.from(
  'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
)

/** An upgraded connection whose upstream does what it is told, and how the exchange is reported. */
async function upgraded(onUpgraded: (upstream: Socket) => void): Promise<Exchanged> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        () => onUpgraded(socket),
      )
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const exchanged = Promise.withResolvers<Exchanged>()
  const forwarder = new Forwarder({
    upstream: { host: '127.0.0.1', port, tls: false },
    hostHeader: 'preserve',
    onExchanged: exchanged.resolve,
  })
  const carrier: StreamCarrier = {
    open: true,
    allowance: () => 1_000,
    frame(type) {
      const ended = (type & frameFlag.end) !== 0 || (type & 0x0f) === frameType.end
      if (ended) answer()
    },
    enqueue: () => undefined,
    drained: () => undefined,
    reset: () => undefined,
    forget: () => undefined,
  }
  // The visitor answers the end with a last word of its own, which nobody reads any more.
  const answer = (): void => {
    const timer = setInterval(() => stream.events.onData(Buffer.from('bye'), false), 10)
    void exchanged.promise.then(() => clearInterval(timer))
  }
  const stream = new TunnelStream(1, carrier, 1_000, unowned)
  const payload = Buffer.alloc(64 + head.length)
  const start = writeOpenPrefix(payload, openFlag.upgrade, 0, 0, '127.0.0.1')
  const end = start + head.copy(payload, start)
  forwarder.open(stream, payload.subarray(0, end), false)
  try {
    return await exchanged.promise
  } finally {
    forwarder.close()
    server.close()
  }
}

test('an upgraded connection that the upstream ends first has ended well', async () => {
  const { status, code } = await upgraded((upstream) => {
    upstream.end('the last word')
    upstream.once('finish', () => upstream.destroySoon())
  })
  expect({ status, code }).toMatchObject({ status: 101 })
  expect(code).toBeUndefined()
})

test('an upgraded connection that the upstream resets has broken off', async () => {
  const { status, code } = await upgraded((upstream) => upstream.resetAndDestroy())
  expect({ status, code }).toEqual({ status: 101, code: 'SLUICE_UPSTREAM_INVALID' })
})
