import { env } from 'node:process'

import { expect, test } from 'vitest'

import { closeCode } from '../close-code.ts'
import { frameBytesMax, streamsMax } from '../limits.ts'
import type { SessionEvents, SessionIo } from '../session-io.ts'
import { Session } from '../session.ts'
import type { StreamEvents, TunnelStream } from '../stream.ts'
import { Dice } from './dice.ts'

/** `FUZZ_SEED=… FUZZ_COUNT=…` runs others, or more. */
const firstSeed = Number(env.FUZZ_SEED ?? 1)
const count = Number(env.FUZZ_COUNT ?? 6_000)
const windows = { streamWindowBytes: 2_048, sessionWindowBytes: 4_096 }
const codes: ReadonlySet<number> = new Set(Object.values(closeCode))

/** One end of a session that a hostile peer writes to. */
class Victim {
  readonly session: Session
  readonly timers = new Set<() => void>()
  readonly closedWith: number[] = []
  readonly #tasks: (() => void)[] = []
  closes = 0
  /** What each stream has heard. */
  readonly heard: { ends: number; resets: number; afterwards: number }[] = []

  constructor(role: 'relay' | 'agent', dice: Dice) {
    const io: SessionIo = {
      now: () => 0,
      setTimer: (callback) => {
        this.timers.add(callback)
        return () => this.timers.delete(callback)
      },
      defer: (run) => this.#tasks.push(run),
      send: () => dice.chance(0.9),
      close: (code) => this.closedWith.push(code),
    }
    const events: SessionEvents = {
      onHello: (hello) => {
        if (dice.chance(0.1))
          this.session.refuse('SLUICE_AGENT_TOKEN_INVALID', {}, closeCode.agentToken)
        else
          this.session.welcome(hello, {
            version: dice.pick([1, 2]),
            features: [],
            sessionId: 's',
            relayId: 'r',
            expiresInMs: 1,
            endpointHosts: [],
          })
      },
      onOpen: (stream) => this.#own(stream, dice),
      onClose: () => (this.closes += 1),
    }
    this.session = new Session(role, io, events, windows)
    if (role === 'agent') this.session.hello('token', '1')
  }

  /** The relay's own streams, for a peer to answer. */
  openStream(dice: Dice): void {
    if (!this.session.accepting) return
    const owner: { stream?: TunnelStream } = {}
    const payload = Buffer.alloc(20, 'x')
    owner.stream = this.session.openStream(
      this.#events(owner, dice),
      payload,
      0,
      payload.length,
      dice.chance(0.5),
    )
    owner.stream.data(Buffer.alloc(dice.below(3_000)), false)
  }

  #own(stream: TunnelStream, dice: Dice): void {
    stream.events = this.#events({ stream }, dice)
    stream.data(Buffer.alloc(dice.below(3_000)), dice.chance(0.3))
  }

  #events(owner: { stream?: TunnelStream }, dice: Dice): StreamEvents {
    const heard = { ends: 0, resets: 0, afterwards: 0 }
    this.heard.push(heard)
    const over = (): void => {
      if (heard.ends + heard.resets > 0) heard.afterwards += 1
    }
    return {
      onHead: over,
      onData: (piece, ended) => {
        over()
        if (ended) heard.ends += 1
        if (dice.chance(0.7)) owner.stream?.drained(piece.length)
      },
      onEnd: () => {
        over()
        heard.ends += 1
      },
      onReset: () => {
        heard.resets += 1
        owner.stream?.release()
      },
      onResume() {},
    }
  }

  settle(): void {
    for (let run = this.#tasks.shift(); run; run = this.#tasks.shift()) run()
  }
}

function frame(
  typeAndFlags: number,
  streamId: number,
  payload: Buffer,
  lengthBytes = payload.length,
): Buffer {
  const header = Buffer.alloc(8)
  header[0] = typeAndFlags
  header.writeUIntBE(lengthBytes & 0xff_ffff, 1, 3)
  header.writeUInt32BE(streamId, 4)
  return Buffer.concat([header, payload])
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const greetings = [
  frame(
    1,
    0,
    json({ versions: [2, 1], features: [], agentToken: 't', agentVersion: '1', ...windows }),
  ),
  frame(
    2,
    0,
    json({
      version: 2,
      features: [],
      sessionId: 's',
      relayId: 'r',
      expiresInMs: 1,
      endpointHosts: [],
      ...windows,
    }),
  ),
]
const texts = [
  json({}),
  json([]),
  json(null),
  json({ code: 'X', details: { a: 1, __proto__: 2, constructor: {} } }),
  json({ code: 5 }),
  json({ agentToken: 't' }),
  json({
    versions: [1e99, -1],
    features: [{}],
    agentToken: 't',
    agentVersion: '1',
    streamWindowBytes: -1,
    sessionWindowBytes: 1e99,
  }),
  json({ expiresInMs: -1, endpointHosts: 'x' }),
  json({ reason: 'x', graceMs: 1 }),
  Buffer.from('{"a":'),
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from('['.repeat(5_000)),
]

function anyFrame(dice: Dice): Buffer {
  const type = dice.chance(0.9) ? 1 + dice.below(16) : dice.below(256)
  const flags = dice.chance(0.5) ? 0 : dice.below(16) << 4
  const streamId = dice.pick([0, 1, 1, 2, 3, 7, 0x7fff_ffff, 0xffff_ffff])
  return frame(
    (type & 0x0f) | flags,
    streamId,
    payloadFor(dice, type),
    dice.chance(0.95) ? undefined : dice.below(2 * frameBytesMax),
  )
}

function payloadFor(dice: Dice, type: number): Buffer {
  if (type === 14 || dice.chance(0.1)) {
    const bytes = Buffer.alloc(dice.chance(0.9) ? 4 : dice.below(9))
    if (bytes.length >= 4)
      bytes.writeUInt32BE(dice.pick([0, 1, 100, 2_048, 0x7fff_ffff, 0xffff_ffff]))
    return bytes
  }
  if (type === 11) return Buffer.alloc(dice.pick([0, 1, 100, 2_048, 2_049, 5_000]), 'd')
  if (type === 9 || type === 10 || type === 16) {
    const bytes = Buffer.alloc(dice.below(40), 'h')
    for (let at = 0; at < Math.min(6, bytes.length); at += 1) bytes[at] = dice.below(256)
    return bytes
  }
  return dice.chance(0.7)
    ? dice.pick(texts)
    : Buffer.from(Array.from({ length: dice.below(30) }, () => dice.below(256)))
}

function mutated(dice: Dice, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let times = dice.chance(0.7) ? 0 : 1 + dice.below(3); times > 0; times -= 1) {
    copy[dice.below(copy.length)] = dice.below(256)
  }
  return dice.chance(0.1) ? copy.subarray(0, dice.below(copy.length)) : copy
}

for (const role of ['relay', 'agent'] as const) {
  test(`whatever frames come, the ${role}'s end of a session throws nothing, closes once with a code, and leaves nothing behind`, () => {
    let violations = 0
    for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
      const dice = new Dice(seed)
      const victim = new Victim(role, dice)
      const { session } = victim
      const greeting = greetings[role === 'relay' ? 0 : 1] ?? Buffer.alloc(0)
      const frames = [
        ...(dice.chance(0.85) ? [greeting] : []),
        ...Array.from({ length: 1 + dice.below(20) }, () => anyFrame(dice)),
      ]
      for (const bytes of frames) {
        for (const piece of dice.cut(mutated(dice, bytes))) session.receive(Buffer.from(piece))
        if (role === 'relay' && dice.chance(0.5)) victim.openStream(dice)
        victim.settle()
        expect(session.streamCount).toBeLessThanOrEqual(streamsMax)
      }
      if (session.closed) violations += 1
      session.close()
      victim.settle()

      const { closes, closedWith, timers, heard } = victim
      expect({
        seed,
        closes,
        closings: closedWith.length,
        known: closedWith.every((code) => codes.has(code)),
      }).toEqual({ seed, closes: 1, closings: 1, known: true })
      expect({ seed, timers: timers.size, streams: session.streamCount }).toEqual({
        seed,
        timers: 0,
        streams: 0,
      })
      const wrong = heard.filter((one) => one.ends > 1 || one.resets > 1 || one.afterwards > 0)
      expect({ seed, wrong }).toEqual({ seed, wrong: [] })
    }
    expect(violations).toBeGreaterThan(count / 10)
    expect(violations).toBeLessThan(count)
  }, 120_000)
}
