import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { SocketWriter } from './socket-writer.ts'

/** A writer, and what a client reads from it. */
async function pair() {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const opened = new Promise<SocketWriter>((resolve) => {
    server.on('upgrade', (request, transport, head) => {
      sockets.handleUpgrade(request, transport, head, (socket) =>
        resolve(new SocketWriter(socket, transport)),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    client.terminate()
    server.close()
  })
  const read: string[] = []
  client.on('message', (data: Buffer) => read.push(data.toString('utf8')))
  await once(client, 'open')
  const closed = new Promise<number>((resolve) => client.once('close', resolve))
  return { writer: await opened, read, closed }
}

test('messages of every length arrive whole, in order, before the socket closes', async () => {
  const { writer, read, closed } = await pair()
  const texts = [0, 1, 125, 126, 65_535, 65_536, 100_000].map((length) => 'x'.repeat(length))
  const accented = ['ü'.repeat(63), '🦦 ok', '€'.repeat(22_000)]

  for (const text of texts) writer.send(text)
  await writer.flushed()
  for (const text of accented) writer.send(text)
  writer.close(4403, 'over')
  writer.send('too late')

  expect(await closed).toBe(4403)
  expect(read).toEqual([...texts, ...accented])
})

test('what waits is counted until it has left', async () => {
  const { writer } = await pair()
  writer.send('x'.repeat(1_000))
  expect(writer.bufferedBytes).toBeGreaterThanOrEqual(1_000)
  await writer.flushed()
  expect(writer.bufferedBytes).toBe(0)
})
