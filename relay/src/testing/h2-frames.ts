import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

import { host, type World } from './world.ts'

export const frame = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export interface H2Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

export const endStream = 1
export const endHeaders = 4

/** One HTTP/2 frame, whatever it says. */
export function frameOf(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, payload])
}

export function numberOf(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A field block of literals that no table keeps, names and values byte for byte. */
export function fieldBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), lengthAnd(name), lengthAnd(value)]),
  )
}

/** A literal that the dynamic table keeps: what a packed bomb is made of. */
export function keptField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), lengthAnd(name), lengthAnd(value)])
}

function lengthAnd(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const head = [Math.min(bytes.length, 127)]
  let rest = bytes.length - 127
  if (rest >= 0) {
    for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128)
    head.push(rest)
  }
  return Buffer.concat([Buffer.from(head), bytes])
}

export const requestFields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', host],
] as const

/** A visitor's HTTP/2 connection that speaks frames, right or wrong ones. */
export class FrameVisitor {
  readonly socket: TLSSocket
  readonly frames: H2Frame[] = []
  #partial: Buffer = Buffer.alloc(0)
  #changed = Promise.withResolvers<void>()
  ended = false

  constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    const end = (): void => {
      this.ended = true
      this.#change()
    }
    socket.on('end', end).on('error', end).on('close', end)
  }

  send(...bytes: Buffer[]): void {
    for (const piece of bytes) this.socket.write(piece)
  }

  /** Opens a stream; nothing follows its head. */
  request(streamId: number, fields: readonly (readonly [string, string])[] = requestFields): void {
    this.send(frameOf(frame.headers, endHeaders | endStream, streamId, fieldBlock(fields)))
  }

  /** The first frame that is asked for; undefined when the relay closes first. */
  async find(wanted: (frame: H2Frame) => boolean): Promise<H2Frame | undefined> {
    for (;;) {
      const found = this.frames.find(wanted)
      if (found || this.ended) return found
      await this.#changed.promise
    }
  }

  /** The error code that a stream was reset with. */
  async resetOf(streamId: number): Promise<number | undefined> {
    const found = await this.find((one) => one.type === frame.reset && one.streamId === streamId)
    return found?.payload.readUInt32BE(0)
  }

  async closed(): Promise<void> {
    while (!this.ended) await this.#changed.promise
  }

  #read(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#partial, chunk])
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3)
      this.frames.push({
        type: bytes[3] ?? 0,
        flags: bytes[4] ?? 0,
        streamId: bytes.readUInt32BE(5) & 0x7fff_ffff,
        payload: bytes.subarray(9, end),
      })
      bytes = bytes.subarray(end)
    }
    this.#partial = bytes
    this.#change()
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** Connects, and greets: preface and settings. */
export async function frameVisitor(
  world: World,
  ca: string,
  settings: Buffer = Buffer.alloc(0),
): Promise<FrameVisitor> {
  const socket = connect({
    port: world.relay.httpsPort,
    host: '127.0.0.1',
    ca,
    servername: host,
    ALPNProtocols: ['h2'],
  })
  world.use(() => void socket.destroy())
  await once(socket, 'secureConnect')
  const visitor = new FrameVisitor(socket)
  visitor.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))
  visitor.send(frameOf(frame.settings, 0, 0, settings))
  return visitor
}
