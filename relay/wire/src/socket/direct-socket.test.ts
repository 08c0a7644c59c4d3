import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Duplex } from 'node:stream'

import { expect, test } from 'vitest'

import { DirectSockets, type DirectSocket } from './direct-socket.ts'

/** Two ends of a TCP connection; ours takes the short way. */
class Pair implements AsyncDisposable {
  readonly ours: DirectSocket
  readonly theirs: Socket
  readonly #close: () => Promise<void>

  constructor(ours: DirectSocket, theirs: Socket, close: () => Promise<void>) {
    this.ours = ours
    this.theirs = theirs
    this.#close = close
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

async function openPair(sockets = new DirectSockets({ scrub: true })): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const theirs = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  // Tests break connections on purpose.
  theirs.on('error', () => undefined)
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(theirs, 'connect')])
  const ours = sockets.open(accepted)
  if (!ours) throw new Error('this Node has no short way')
  ours.on('error', () => undefined)
  return new Pair(ours, theirs, async () => {
    ours.destroy()
    theirs.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
}

function collect(socket: { on(event: 'data', listener: (chunk: Buffer) => void): unknown }) {
  const chunks: Buffer[] = []
  let changed = Promise.withResolvers<void>()
  socket.on('data', (chunk) => {
    chunks.push(Buffer.from(chunk))
    changed.resolve()
    changed = Promise.withResolvers()
  })
  return {
    get text() {
      return Buffer.concat(chunks).toString('latin1')
    },
    async until(bytes: number): Promise<Buffer> {
      while (chunks.reduce((sum, chunk) => sum + chunk.length, 0) < bytes) await changed.promise
      return Buffer.concat(chunks)
    },
  }
}

function bytesOf(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 31 + (index >>> 8)) & 0xff))
}

test('bytes arrive both ways as they were sent, whatever their sizes', async () => {
  await using pair = await openPair()
  const here = collect(pair.ours)
  const there = collect(pair.theirs)
  const pieces = [1, 2, 300, 65_535, 65_536, 65_537, 300, 200_000].map(bytesOf)
  const whole = Buffer.concat(pieces)

  for (const piece of pieces) {
    pair.theirs.write(piece)
    pair.ours.write(piece)
  }

  expect((await here.until(whole.length)).equals(whole)).toBe(true)
  expect((await there.until(whole.length)).equals(whole)).toBe(true)
  expect(pair.ours.bytesRead).toBe(whole.length)
  expect(pair.ours.bytesWritten).toBe(whole.length)
})

test('what a read brought is the socket’s again after the call', async () => {
  await using pair = await openPair()
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  pair.ours.on('data', resolve)

  pair.theirs.write('a request')

  // It was scrubbed, which is how a test sees who keeps it.
  expect((await promise).every((byte) => byte === 0xdd)).toBe(true)
})

test('all that one read brought happens at one instant, and time goes on between reads', async () => {
  const sockets = new DirectSockets()
  await using pair = await openPair(sockets)
  const instants: number[] = []
  const two = Promise.withResolvers<void>()
  pair.ours.on('data', () => {
    const untilMs = performance.now() + 2
    instants.push(sockets.nowMs())
    while (performance.now() < untilMs);
    instants.push(sockets.nowMs())
    if (instants.length === 4) two.resolve()
    else pair.theirs.write('second')
  })

  pair.theirs.write('first')
  await two.promise

  expect(instants[0]).toBe(instants[1])
  expect(instants[2]).toBe(instants[3])
  expect(instants[2]).toBeGreaterThan(instants[0] ?? Infinity)
  expect(sockets.nowMs()).toBeGreaterThan(instants[3] ?? Infinity)
})

test('a peer that does not read is waited for, its slabs are held, and nothing is lost or mixed up', async () => {
  const sockets = new DirectSockets({ scrub: true })
  await using pair = await openPair(sockets)
  const sent: Buffer[] = []
  let taken = true
  while (taken && sent.length < 2_000) {
    const slab = sockets.slabs.take()
    const piece = bytesOf(60_000 + sent.length)
    const bytes = slab.bytes.subarray(0, piece.copy(slab.bytes))
    taken = pair.ours.send(bytes, slab)
    expect(slab.busy).toBe(!taken)
    slab.release()
    sent.push(piece)
  }
  expect(pair.ours.waitingBytes).toBeGreaterThan(0)
  // While it waits, others use slabs of the same pool: none of them may be the one that waits.
  for (let round = 0; round < 20; round += 1) {
    const slab = sockets.slabs.take()
    slab.bytes.fill(round)
    slab.release()
  }
  expect(pair.ours.write(Buffer.from('the end'))).toBe(false)

  const drained = new Promise<void>((resolve) => pair.ours.on('drain', resolve))
  const there = collect(pair.theirs)
  const whole = Buffer.concat([...sent, Buffer.from('the end')])

  expect((await there.until(whole.length)).equals(whole)).toBe(true)
  await drained
  expect(pair.ours.waitingBytes).toBe(0)
})

test('all who wait hear that a socket has drained', async () => {
  await using pair = await openPair()
  const heard: string[] = []
  const both = Promise.withResolvers<void>()
  pair.ours.on('drain', () => heard.push('response'))
  pair.ours.on('drain', () => {
    heard.push('connection')
    both.resolve()
  })
  while (pair.ours.write(Buffer.alloc(100_000)));

  pair.theirs.resume()
  await both.promise

  expect(heard).toEqual(['response', 'connection'])
})

test('a paused socket reads nothing until it is resumed', async () => {
  await using pair = await openPair()
  const here = collect(pair.ours)
  pair.ours.pause()
  pair.theirs.write('early')
  // A whole exchange the other way: by then the bytes are here, and unread.
  pair.ours.write(Buffer.from('ping'))
  await once(pair.theirs, 'data')
  expect(here.text).toBe('')

  pair.ours.resume()

  expect((await here.until(5)).toString()).toBe('early')
})

test('bytes that were read before come first', async () => {
  await using pair = await openPair()
  pair.ours.unshift(Buffer.from('first '))
  const here = collect(pair.ours)

  pair.theirs.write('second')

  expect((await here.until(12)).toString()).toBe('first second')
})

test('each half ends by itself, behind what was written', async () => {
  await using pair = await openPair()
  const ended = once(pair.ours.socket, 'end')
  const there = collect(pair.theirs)
  pair.theirs.end()
  await ended

  pair.ours.write(Buffer.alloc(3_000_000, 'x'))
  pair.ours.end()
  await once(pair.theirs, 'end')

  expect(there.text.length).toBe(3_000_000)
})

test('a peer that resets is an error and the end, also for what still waits', async () => {
  await using pair = await openPair()
  while (pair.ours.write(Buffer.alloc(100_000)));

  pair.theirs.resetAndDestroy()
  await new Promise<void>((resolve) => pair.ours.on('close', resolve))

  expect(pair.ours.socket.errored).toMatchObject({ code: expect.stringMatching(/^E/) })
  expect(pair.ours.write(Buffer.from('too late'))).toBe(true)
})

test('destroying a socket with bytes on their way is safe, and its slabs come back', async () => {
  const sockets = new DirectSockets()
  await using pair = await openPair(sockets)
  const slabs = Array.from({ length: 40 }, () => sockets.slabs.take())
  for (const slab of slabs) pair.ours.send(slab.bytes, slab)
  expect(slabs.some((slab) => slab.busy)).toBe(true)

  pair.ours.destroy()
  await once(pair.ours.socket, 'close')

  expect(slabs.filter((slab) => slab.busy)).toEqual([])
})

test('what has no short way is used as it is', async () => {
  const sockets = new DirectSockets()

  expect(sockets.open(new Duplex())).toBeUndefined()
  expect(sockets.open(connect({ port: 1, host: '127.0.0.1' }).on('error', () => undefined))).toBe(
    undefined,
  )
})

test('another Node, which hides what sockets stand on, has no short way', async () => {
  await using pair = await openPair()
  const binding: unknown = Reflect.get(process, 'binding')
  Reflect.set(process, 'binding', undefined)
  const sockets = new DirectSockets()
  Reflect.set(process, 'binding', binding)

  expect(sockets.open(pair.ours.socket)).toBeUndefined()
})
