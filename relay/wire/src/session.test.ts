import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { pingIntervalMs } from './limits.ts'
import type { SessionEvents, SessionIo } from './session-io.ts'
import { Session } from './session.ts'
import type { StreamEvents, TunnelStream } from './stream.ts'
import { messageHeadroomBytes } from './websocket.ts'

/** A world with a virtual clock and two links that can be slowed, cut and silenced. */
class Simulator {
  nowMs = 0
  #timers: { atMs: number; run: () => void }[] = []
  #tasks: (() => void)[] = []
  readonly #random: () => number
  readonly links: Link[] = []

  constructor(seed: number) {
    // Mulberry32: one number decides the whole run, and repeats it.
    let state = seed >>> 0
    this.#random = () => {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
    }
  }

  random(): number {
    return this.#random()
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  get timers(): number {
    return this.#timers.length
  }

  task(run: () => void): void {
    this.#tasks.push(run)
  }

  io(link: Link): SessionIo {
    return {
      now: () => this.nowMs,
      setTimer: (run, delayMs) => {
        const timer = { atMs: this.nowMs + delayMs, run }
        this.#timers.push(timer)
        return () => {
          this.#timers = this.#timers.filter((one) => one !== timer)
        }
      },
      defer: (run) => this.task(run),
      send: (parts) => link.send(Buffer.concat(parts).subarray(messageHeadroomBytes)),
      close: () => link.close(),
    }
  }

  /** Runs one thing that can happen now, in an order that only the seed knows. False: nothing is left but timers. */
  step(): boolean {
    const choices: (() => void)[] = []
    if (this.#tasks.length > 0) choices.push(() => this.#tasks.shift()?.())
    for (const link of this.links) if (link.deliverable) choices.push(() => link.deliver())
    choices[this.below(choices.length)]?.()
    return choices.length > 0
  }

  settle(): void {
    let steps = 0
    while (this.step()) {
      steps += 1
      if (steps > 2_000_000) throw new Error('the world does not come to rest')
    }
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      this.settle()
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (!next || next.atMs > untilMs) break
      this.#timers = this.#timers.filter((one) => one !== next)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
    }
    this.nowMs = untilMs
  }
}

/** Bytes on their way in one direction: delivered in random pieces, with a small buffer that fills up. */
class Link {
  readonly #world: Simulator
  #queue = Buffer.alloc(0)
  #full = false
  silent = false
  closed = false
  to: Session | undefined
  from: Session | undefined
  other: Link | undefined

  constructor(world: Simulator) {
    this.#world = world
    world.links.push(this)
  }

  get deliverable(): boolean {
    return !this.silent && this.#queue.length > 0
  }

  send(bytes: Buffer): boolean {
    if (!this.closed) this.#queue = Buffer.concat([this.#queue, bytes])
    this.#full = this.#queue.length > 3_000
    return !this.#full
  }

  deliver(): void {
    const bytes = Math.min(this.#queue.length, 1 + this.#world.below(2_000))
    const piece = Buffer.from(this.#queue.subarray(0, bytes))
    this.#queue = this.#queue.subarray(bytes)
    this.to?.receive(piece)
    if (this.#full && this.#queue.length === 0) {
      this.#full = false
      this.from?.linkDrained()
    }
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.#world.task(() => {
      if (this.silent) return
      while (this.deliverable) this.deliver()
      this.to?.close(1000, 'the link was closed', true)
    })
  }
}

/** A far socket that drains when the world gets to it, and keeps what it was given. */
class Sink implements StreamEvents {
  readonly received: Buffer[] = []
  head = ''
  ended = 0
  reset = 0
  stuck = false
  stream: TunnelStream | undefined
  readonly #world: Simulator
  onResumed: () => void = () => undefined

  constructor(world: Simulator) {
    this.#world = world
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received)
  }

  onHead(payload: Buffer): void {
    this.head += payload.toString('latin1')
  }

  onData(piece: Buffer, ended: boolean): void {
    this.received.push(Buffer.from(piece))
    if (ended) this.ended += 1
    if (this.stuck) return
    this.#world.task(() => this.stream?.drained(piece.length))
  }

  onEnd(): void {
    this.ended += 1
  }

  onReset(): void {
    this.reset += 1
    this.stream?.release()
  }

  onResume(): void {
    this.onResumed()
  }
}

const windows = { streamWindowBytes: 10_000, sessionWindowBytes: 16_000 }

/** A relay and an agent that have greeted each other. */
function open(seed: number, onOpen: NonNullable<SessionEvents['onOpen']>) {
  const world = new Simulator(seed)
  const toAgent = new Link(world)
  const toRelay = new Link(world)
  const reasons: Record<'relay' | 'agent', string[]> = { relay: [], agent: [] }
  const relay = new Session(
    'relay',
    world.io(toAgent),
    {
      onHello(hello) {
        relay.welcome(hello, {
          version: 1,
          features: [],
          sessionId: 's',
          relayId: 'r',
          expiresInMs: 1,
          endpointHosts: [],
        })
      },
      onClose: (reason) => reasons.relay.push(reason),
    },
    windows,
  )
  const agent = new Session(
    'agent',
    world.io(toRelay),
    { onOpen, onClose: (reason) => reasons.agent.push(reason) },
    windows,
  )
  Object.assign(toAgent, { to: agent, from: relay })
  Object.assign(toRelay, { to: relay, from: agent })
  agent.hello('token', '1')
  world.settle()
  return { world, relay, agent, toAgent, toRelay, reasons }
}

/** Sends a body in random pieces, waiting whenever it is told to. */
function pour(world: Simulator, stream: TunnelStream, sink: Sink, body: Buffer): void {
  let sent = 0
  const next = (): void => {
    if (stream.closed) return
    const bytes = Math.min(body.length - sent, 1 + world.below(5_000))
    const piece = body.subarray(sent, sent + bytes)
    sent += bytes
    const more = sent < body.length
    const taken = stream.data(piece, !more)
    if (more && taken) world.task(next)
  }
  sink.onResumed = () => {
    if (sent < body.length) world.task(next)
  }
  next()
}

function bodyOf(world: Simulator, bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => world.below(256)))
}

test('bodies arrive whole both ways, each stream ends once, and nothing is left over', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), (seed, streams) => {
      const uploads = new Map<number, Sink>()
      const bodies = new Map<number, Buffer>()
      const { world, relay, agent } = open(seed, (stream) => {
        const sink = new Sink(world)
        sink.stream = stream
        stream.events = sink
        uploads.set(stream.id, sink)
        const body = bodyOf(world, world.below(60_000))
        bodies.set(stream.id, body)
        stream.head(10, Buffer.from('head'), 0, 4, false)
        pour(world, stream, sink, body)
      })
      const downloads = Array.from({ length: streams }, () => {
        const sink = new Sink(world)
        const body = bodyOf(world, world.below(60_000))
        const openPayload = Buffer.from('\u0000\u0000\u0000\u0000\u0000\u0000GET')
        const stream = relay.openStream(sink, openPayload, 0, openPayload.length, false)
        sink.stream = stream
        pour(world, stream, sink, body)
        return { id: stream.id, sink, body }
      })

      world.advance(1_000)

      for (const { id, sink, body } of downloads) {
        expect(sink.head).toBe('head')
        expect([sink.ended, sink.reset, uploads.get(id)?.ended, uploads.get(id)?.reset]).toEqual([
          1, 0, 1, 0,
        ])
        expect(sink.bytes.equals(bodies.get(id) ?? Buffer.alloc(0))).toBe(true)
        expect(uploads.get(id)?.bytes.equals(body)).toBe(true)
      }
      expect([relay.streamCount, agent.streamCount]).toEqual([0, 0])
    }),
    { numRuns: 60 },
  )
})

test('any number of stuck readers leaves room for the others', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 200 }), (seed, stuckCount) => {
      const { world, relay } = open(seed, (stream, payload) => {
        const sink = new Sink(world)
        sink.stream = stream
        stream.events = sink
        pour(
          world,
          stream,
          sink,
          Buffer.alloc(payload.toString('latin1').endsWith('large') ? 100_000 : 20),
        )
      })
      const ask = (what: string): Sink => {
        const sink = new Sink(world)
        const openPayload = Buffer.from(`\u0000\u0000\u0000\u0000\u0000\u0000${what}`)
        sink.stream = relay.openStream(sink, openPayload, 0, openPayload.length, true)
        return sink
      }
      for (let index = 0; index < stuckCount; index += 1) ask('large').stuck = true
      world.advance(1_000)

      const sink = ask('small')
      world.advance(1_000)

      expect(sink.bytes.length).toBe(20)
      expect(sink.ended).toBe(1)
    }),
    { numRuns: 40 },
  )
})

test('streams reset at any moment give their credit back', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const { world, relay, reasons } = open(seed, (stream) => {
        const sink = new Sink(world)
        sink.stream = stream
        stream.events = sink
        pour(world, stream, sink, Buffer.alloc(50_000))
        if (world.random() < 0.5) world.task(() => stream.reset('X'))
      })
      const open1 = Buffer.from('\u0000\u0000\u0000\u0000\u0000\u0000GET')
      for (let round = 0; round < 30; round += 1) {
        const sink = new Sink(world)
        sink.stuck = true
        const ended = world.random() < 0.5
        const stream = relay.openStream(sink, open1, 0, open1.length, ended)
        sink.stream = stream
        if (!ended) pour(world, stream, sink, Buffer.alloc(30_000))
        for (let step = world.below(40); step > 0; step -= 1) world.step()
        if (world.random() < 0.7) {
          stream.reset()
          stream.release()
        } else sink.stuck = false
      }
      world.advance(1_000)
      expect(reasons).toEqual({ relay: [], agent: [] })

      const sink = new Sink(world)
      sink.stream = relay.openStream(sink, open1, 0, open1.length, true)
      world.advance(1_000)
      expect(sink.ended + sink.reset).toBe(1)
    }),
    { numRuns: 60 },
  )
})

test('a silent peer is noticed within 25 seconds, and no timer is left', () => {
  const { world, relay, agent, toAgent, toRelay, reasons } = open(1, () => undefined)
  world.advance(60_000)
  expect(relay.closed).toBe(false)

  toAgent.silent = true
  toRelay.silent = true
  world.advance(25_000)

  expect([relay.closed, agent.closed]).toEqual([true, true])
  expect(reasons).toEqual({ relay: ['the peer is silent'], agent: ['the peer is silent'] })
  expect(world.timers).toBe(0)
})

test('an event loop that stood still is not taken for a silent peer', () => {
  const { world, relay } = open(1, () => undefined)

  for (let stall = 0; stall < 10; stall += 1) {
    world.nowMs += 4 * pingIntervalMs
    world.advance(1)
  }

  expect(relay.closed).toBe(false)
})

test('closing resets every stream once, and tells both sides', () => {
  const agents: Sink[] = []
  const { world, relay, reasons } = open(7, (stream) => {
    const sink = new Sink(world)
    sink.stream = stream
    stream.events = sink
    agents.push(sink)
  })
  const open1 = Buffer.from('\u0000\u0000\u0000\u0000\u0000\u0000GET')
  const sinks = [1, 2, 3].map(() => {
    const sink = new Sink(world)
    sink.stream = relay.openStream(sink, open1, 0, open1.length, false)
    return sink
  })
  world.settle()

  relay.close()
  world.settle()

  for (const sink of [...sinks, ...agents]) expect(sink.reset).toBe(1)
  expect(reasons).toEqual({ relay: ['closed'], agent: ['the link was closed'] })
  expect(world.timers).toBe(0)
})
