import { isIP, type Socket } from 'node:net'

import { datagramBytesMax } from '@sluice/wire'

/** Whom a datagram at a public port came from, or goes to: as the socket there knows it. */
export interface Source {
  readonly address: string
  readonly port: number
}

/** A way back to sources. */
export interface ReplyWay {
  /** False: it is behind, and the datagram was dropped. */
  send(source: Source, bytes: Buffer): boolean
}

export interface DatagramLinkEvents {
  onDatagram(source: Source, bytes: Buffer): void
  /** Once. */
  onClose(): void
}

/** The length of what follows, then port and length of the address. */
const lengthBytes = 4
const prefixBytes = 3
const addressBytesMax = 45
const frameBytesMax = prefixBytes + addressBytesMax + datagramBytesMax
/** Datagrams that the socket has not got rid of; more are dropped, for late is worse than lost. */
const linkQueueBytesMax = 262_144
/** How often a sign of life is asked for. A peer of which nothing is heard at all is given up. */
const askMs = 5_000
export const silentMsMax = 15_000
const none = Buffer.alloc(0)
const signOfLife = Buffer.alloc(lengthBytes)

/**
 * Datagrams of one public port between the relay that they reach and the one that has the agent, each with its source:
 * `length u32 · port u16 · addressLength u8 · address · datagram`, the same both ways. A length of 0 asks for a sign of
 * life, and is sent back as one. It is one connection for each port, so no tunnel waits for another's datagrams.
 */
export class DatagramLink implements ReplyWay {
  readonly #socket: Socket
  readonly #events: DatagramLinkEvents
  #pending: Buffer = none
  #corked = false
  readonly #asks: boolean
  #heardMs = performance.now()
  #askedMs = performance.now()

  /** `asks`: it is this end that asks for signs of life. */
  constructor(socket: Socket, asks: boolean, events: DatagramLinkEvents) {
    this.#socket = socket
    this.#asks = asks
    this.#events = events
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('end', () => socket.destroy())
    socket.once('close', () => events.onClose())
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.resume()
  }

  send({ address, port }: Source, bytes: Buffer): boolean {
    const socket = this.#socket
    if (socket.destroyed || socket.writableLength > linkQueueBytesMax) return false
    const head = Buffer.allocUnsafe(lengthBytes + prefixBytes + address.length)
    head.writeUInt32BE(head.length - lengthBytes + bytes.length, 0)
    head.writeUInt16BE(port, lengthBytes)
    head[lengthBytes + 2] = address.length
    head.write(address, lengthBytes + prefixBytes, 'latin1')
    this.#cork()
    socket.write(head)
    socket.write(bytes)
    return true
  }

  /** About every second. */
  sweep(nowMs: number): void {
    if (nowMs - this.#heardMs > silentMsMax) this.close()
    if (!this.#asks || nowMs - this.#askedMs < askMs || this.#socket.destroyed) return
    this.#askedMs = nowMs
    this.#socket.write(signOfLife)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** What one turn brings leaves together. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#socket.cork()
    setImmediate(() => {
      this.#corked = false
      this.#socket.uncork()
    })
  }

  #read(chunk: Buffer): void {
    this.#heardMs = performance.now()
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    let at = 0
    while (bytes.length - at >= lengthBytes) {
      const length = bytes.readUInt32BE(at)
      const end = at + lengthBytes + length
      if (length <= frameBytesMax && end > bytes.length) break
      if (length > frameBytesMax || !this.#take(bytes.subarray(at + lengthBytes, end))) {
        this.close()
        return
      }
      at = end
    }
    this.#pending = bytes.subarray(at)
  }

  /** False: it is no datagram. A name in the place of an address would be looked up by whoever sends there. */
  #take(frame: Buffer): boolean {
    if (frame.length === 0) {
      if (!this.#asks) this.#socket.write(signOfLife)
      return true
    }
    if (frame.length < prefixBytes) return false
    const addressEnd = prefixBytes + (frame[2] ?? 0)
    const address = frame.toString('latin1', prefixBytes, addressEnd)
    const bytes = frame.subarray(addressEnd)
    if (isIP(address) === 0 || bytes.length > datagramBytesMax) return false
    this.#events.onDatagram({ address, port: frame.readUInt16BE(0) }, bytes)
    return true
  }
}
