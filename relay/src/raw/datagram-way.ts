import type { Socket } from 'node:net'

import { datagramAgeMsMax, datagramQueueBytesMax, flowIdleMs } from '@sluice/wire'

import { DatagramLink, type Source } from './datagram-link.ts'
import type { DatagramDropReason } from './raw-context.ts'

/** Before the holder is looked for again when there was none, twice as long each time. */
const againMs = 100
const doublingsMax = 5

export interface DatagramWayOptions {
  /** Asks the relay that has the agent for a connection; undefined when none has it now. */
  readonly connect: () => Promise<Socket | undefined>
  /** A reply for a source here. */
  readonly onReply: (source: Source, bytes: Buffer) => void
  readonly onDropped: (reason: DatagramDropReason) => void
}

interface Waiting {
  readonly source: Source
  readonly bytes: Buffer
  readonly sinceMs: number
}

/** The way of one public port's datagrams to the relay that has its agent: opened when there is one to bring, closed when none has passed for a while. */
export class DatagramWay {
  readonly #options: DatagramWayOptions
  #link: DatagramLink | undefined
  #connecting = false
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #failures = 0
  #againAtMs = 0
  #usedMs = 0
  #closed = false
  /** Rises when another relay may have the agent: what was asked for before is of no use. */
  #round = 0

  constructor(options: DatagramWayOptions) {
    this.#options = options
  }

  send(source: Source, bytes: Buffer): void {
    const nowMs = performance.now()
    this.#usedMs = nowMs
    if (this.#link) {
      if (!this.#link.send(source, bytes)) this.#options.onDropped('relay-slow')
      return
    }
    if (!this.#connecting && nowMs < this.#againAtMs) {
      this.#options.onDropped('offline')
      return
    }
    this.#waiting.push({ source, bytes, sinceMs: nowMs })
    this.#waitingBytes += bytes.length
    while (this.#waitingBytes > datagramQueueBytesMax && this.#waiting.length > 1) {
      this.#waitingBytes -= this.#waiting.shift()?.bytes.length ?? 0
      this.#options.onDropped('relay-slow')
    }
    if (!this.#connecting) void this.#connect()
  }

  /** Another relay has the agent now. */
  renew(): void {
    this.#round += 1
    this.retry()
    this.#link?.close()
    this.#link = undefined
  }

  /** Whoever had no agent may have one now. */
  retry(): void {
    this.#failures = 0
    this.#againAtMs = 0
  }

  /** About every second. */
  sweep(nowMs: number): void {
    if (nowMs - this.#usedMs > flowIdleMs) this.#link?.close()
    else this.#link?.sweep(nowMs)
  }

  close(): void {
    this.#closed = true
    this.#link?.close()
  }

  async #connect(): Promise<void> {
    this.#connecting = true
    const round = this.#round
    const socket = await this.#options.connect().catch(() => undefined)
    this.#connecting = false
    if (round !== this.#round || this.#closed) {
      socket?.destroy()
      if (this.#closed || this.#waiting.length === 0) this.#giveUp()
      else void this.#connect()
    } else if (socket) this.#open(socket)
    else this.#fail()
  }

  #open(socket: Socket): void {
    const link: DatagramLink = new DatagramLink(socket, true, {
      onDatagram: (source, bytes) => {
        this.#usedMs = performance.now()
        this.#failures = 0
        this.#options.onReply(source, bytes)
      },
      onClose: () => {
        if (this.#link !== link) return
        this.#link = undefined
        // It may have moved, or be idle. One that lets us in and out again is not asked without end.
        this.#rest()
      },
    })
    this.#link = link
    const youngEnough = performance.now() - datagramAgeMsMax
    for (const { source, bytes, sinceMs } of this.#takeWaiting()) {
      if (sinceMs < youngEnough || !link.send(source, bytes)) this.#options.onDropped('relay-slow')
    }
  }

  #fail(): void {
    this.#rest()
    this.#giveUp()
  }

  #rest(): void {
    this.#againAtMs = performance.now() + againMs * 2 ** Math.min(this.#failures, doublingsMax)
    this.#failures += 1
  }

  #giveUp(): void {
    for (const _one of this.#takeWaiting()) this.#options.onDropped('offline')
  }

  #takeWaiting(): Waiting[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    return waiting
  }
}
