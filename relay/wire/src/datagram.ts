import { frameType } from './frame.ts'
import { datagramAgeMsMax, datagramBytesMax, datagramQueueBytesMax } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { ProtocolViolation } from './violation.ts'

/** Who sent the first datagram of a flow, and to which port. */
export interface FlowOrigin {
  readonly visitor: string
  readonly visitorPort: number
  readonly endpointPort: number
}

export interface Datagram {
  readonly flow: number
  /** With the first datagram of a flow. */
  readonly origin: FlowOrigin | undefined
  /** The flow is over; there are no bytes. */
  readonly ended: boolean
  readonly bytes: Buffer
}

const datagramFlag = { new: 1, end: 2 } as const
const prefixBytes = 5
const originBytes = 5
const none = Buffer.alloc(0)

/** The payload of a DATAGRAM frame. */
export function encodeDatagram({ flow, origin, ended, bytes }: Datagram): Buffer {
  const visitor = origin?.visitor ?? ''
  const head = prefixBytes + (origin ? originBytes + visitor.length : 0)
  const payload = Buffer.allocUnsafe(head + bytes.length)
  payload.writeUInt32BE(flow, 0)
  payload[4] = (origin ? datagramFlag.new : 0) | (ended ? datagramFlag.end : 0)
  if (origin) {
    payload.writeUInt16BE(origin.visitorPort, 5)
    payload.writeUInt16BE(origin.endpointPort, 7)
    payload[9] = visitor.length
    payload.write(visitor, prefixBytes + originBytes, 'latin1')
  }
  bytes.copy(payload, head)
  return payload
}

export function parseDatagram(payload: Buffer): Datagram {
  const flags = payload[4]
  if (flags === undefined) throw new ProtocolViolation('a DATAGRAM that is too short')
  const flow = payload.readUInt32BE(0)
  const ended = (flags & datagramFlag.end) !== 0
  if (ended) return { flow, origin: undefined, ended, bytes: none }
  if ((flags & datagramFlag.new) === 0) {
    return { flow, origin: undefined, ended, bytes: fitting(payload.subarray(prefixBytes)) }
  }
  const length = payload[9]
  const at = prefixBytes + originBytes + (length ?? 0)
  if (length === undefined || payload.length < at) {
    throw new ProtocolViolation('a DATAGRAM that is too short')
  }
  const origin = {
    visitorPort: payload.readUInt16BE(5),
    endpointPort: payload.readUInt16BE(7),
    visitor: payload.toString('latin1', prefixBytes + originBytes, at),
  }
  return { flow, origin, ended, bytes: fitting(payload.subarray(at)) }
}

/** A copy: the link's buffer is used again while a socket still sends from it. */
function fitting(bytes: Buffer): Buffer {
  if (bytes.length > datagramBytesMax) throw new ProtocolViolation('a datagram that is too large')
  return Buffer.from(bytes)
}

interface Waiting {
  readonly payload: Buffer
  readonly sinceMs: number
}

/** Datagrams that wait for the link: few, young, and the newest rather than the oldest. */
export class DatagramQueue {
  readonly #outbox: Pick<Outbox, 'append' | 'defer' | 'linkReady'>
  readonly #now: () => number
  #waiting: Waiting[] = []
  #bytes = 0
  /** Given up because the link was full. */
  dropped = 0

  constructor(outbox: Pick<Outbox, 'append' | 'defer' | 'linkReady'>, now: () => number) {
    this.#outbox = outbox
    this.#now = now
  }

  push(payload: Buffer): void {
    this.#waiting.push({ payload, sinceMs: this.#now() })
    this.#bytes += payload.length
    // One alone may be larger than the queue's bound, and still goes.
    while (this.#bytes > datagramQueueBytesMax && this.#waiting.length > 1) this.#dropOldest()
    this.#outbox.defer()
  }

  /** Gives the outbox what waits, if the link takes anything. */
  fill(): void {
    if (this.#waiting.length === 0 || !this.#outbox.linkReady) return
    const youngEnough = this.#now() - datagramAgeMsMax
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    for (const { payload, sinceMs } of waiting) {
      if (sinceMs < youngEnough) this.dropped += 1
      else this.#outbox.append(frameType.datagram, 0, payload, 0, payload.length)
    }
  }

  #dropOldest(): void {
    const oldest = this.#waiting.shift()
    this.#bytes -= oldest?.payload.length ?? 0
    this.dropped += 1
  }
}
