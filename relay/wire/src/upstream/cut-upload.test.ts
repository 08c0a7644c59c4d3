import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { frameType } from '../frame.ts'
import { writeOpenPrefix } from '../open-head.ts'
import { TunnelStream, unowned, type StreamCarrier } from '../stream.ts'
import { Forwarder } from './forwarder.ts'

const head = Buffer.from('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\n')

function openPayload(): Buffer {
  const payload = Buffer.alloc(64 + head.length)
  const start = writeOpenPrefix(payload, 0, 0, 0, '127.0.0.1')
  return payload.subarray(0, start + head.copy(payload, start))
}

test('a response that waits for credit goes out whole, though the upstream cuts its upload short', async () => {
  const answered = Promise.withResolvers<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 20\r\n\r\n01234567890123456789')
      answered.resolve(socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const forwarder = new Forwarder({
    upstream: { host: '127.0.0.1', port, tls: false },
    hostHeader: 'preserve',
  })
  const sent: string[] = []
  const began = Promise.withResolvers<void>()
  const reset = Promise.withResolvers<void>()
  let allowance = 5
  const carrier: StreamCarrier = {
    open: true,
    allowance: () => allowance,
    frame(type, _stream, bytes, start, end) {
      if ((type & 0x0f) !== frameType.data) return
      sent.push(bytes.toString('latin1', start, end))
      began.resolve()
    },
    enqueue: () => undefined,
    drained: () => undefined,
    reset() {
      sent.push('reset')
      reset.resolve()
    },
    forget: () => undefined,
  }
  const stream = new TunnelStream(1, carrier, 1_000, unowned)
  forwarder.open(stream, openPayload(), false)
  await began.promise
  const socket = await answered.promise
  socket.resetAndDestroy()
  await once(socket, 'close')

  // The first write meets the reset, the second what it left behind.
  for (let round = 0; round < 3; round += 1) {
    stream.events.onData(Buffer.alloc(10), false)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const before = [...sent]
  allowance = 1_000
  while (stream.pump());
  await reset.promise

  expect(before).toEqual(['01234'])
  expect(sent).toEqual(['01234', '567890123456789', 'reset'])
  forwarder.close()
  server.close()
})
