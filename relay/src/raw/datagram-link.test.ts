import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

import { expect, onTestFinished, test, vi } from 'vitest'

import { DatagramLink, silentMsMax, type Source } from './datagram-link.ts'

const waitMs = { timeout: 15_000 }
const visitor: Source = { address: '192.0.2.7', port: 4_000 }

/** Both ends of a connection. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const near = connect({
    port: typeof address === 'object' && address ? address.port : 0,
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  const [far] = (await once(server, 'connection')) as [Socket]
  far.on('error', () => undefined)
  onTestFinished(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return [near, far]
}

interface Heard {
  readonly source: Source
  readonly bytes: Buffer
}

function linkOf(socket: Socket, asks = false) {
  const heard: Heard[] = []
  const closed = Promise.withResolvers<void>()
  const link = new DatagramLink(socket, asks, {
    onDatagram: (source, bytes) => heard.push({ source, bytes: Buffer.from(bytes) }),
    onClose: closed.resolve,
  })
  return { link, heard, closed: closed.promise }
}

test('datagrams keep their borders and sources, however the bytes between are cut', async () => {
  const [near, far] = await pair()
  const sender = linkOf(near)
  const receiver = linkOf(far)
  const sizes = [0, 1, 1_472, 65_507, 0, 9_000]
  for (const [index, size] of sizes.entries()) {
    sender.link.send({ ...visitor, port: index + 1 }, Buffer.alloc(size, index))
  }

  await vi.waitFor(() => expect(receiver.heard.length).toBe(sizes.length), waitMs)
  expect(receiver.heard.map(({ source, bytes }) => [source.port, bytes.length])).toEqual(
    sizes.map((size, index) => [index + 1, size]),
  )
  expect(receiver.heard.every(({ source: { address } }) => address === visitor.address)).toBe(true)
})

test('a name in the place of an address, and a frame that is too large, end the connection', async () => {
  const name = Buffer.from('\0\0\0\x0e\x10\0\x0bevil.test..', 'latin1')
  for (const garbage of [name, Buffer.alloc(1_000, 0xff), Buffer.from('\0\0\0\x01\0', 'latin1')]) {
    const [near, far] = await pair()
    const receiver = linkOf(far)
    near.on('error', () => undefined)
    near.write(garbage)

    await receiver.closed
    expect(receiver.heard).toEqual([])
  }
})

test('a relay that does not read costs datagrams, and no memory', async () => {
  const [near, far] = await pair()
  far.pause()
  const { link } = linkOf(near)
  const datagram = Buffer.alloc(9_000)
  let sent = 0
  // What the kernel takes is bounded by the kernel; behind it is our queue.
  for (let round = 0; round < 5_000; round += 1) {
    if (link.send(visitor, datagram)) sent += 1
    if (round % 20 === 0) await new Promise(setImmediate)
  }

  expect(sent).toBeLessThan(5_000)
  expect(near.writableLength).toBeLessThan(300_000)
})

test('a relay that is there gives signs of life; one that is frozen is given up', async () => {
  const [near, far] = await pair()
  const asking = linkOf(near, true)
  const answering = linkOf(far)
  const heardFrom = once(near, 'data')
  asking.link.sweep(performance.now() + silentMsMax / 2)
  await heardFrom
  expect(near.destroyed).toBe(false)

  asking.link.sweep(performance.now() + 2 * silentMsMax)
  await asking.closed
  await answering.closed
})
