import {
  constants,
  createBrotliCompress,
  createGzip,
  type BrotliCompress,
  type Gzip,
} from 'node:zlib'

import type { Details, HeadScanner, StreamEvents } from '@sluice/wire'

import { planCompression, type Accepted, type Coding } from './compression.ts'
import { paced, type ExchangeStream } from './paced-stream.ts'
import type { TunnelLimits } from './tunnel-limits.ts'

/** Compressors at once, each of about 300 KiB; further responses pass as they are, which is always right. */
const compressorsMax = 256
/** Compressed bytes that the visitor has not taken: above it the agent gets no credit. */
const undrainedBytesMax = 131_072

/** The relay's budget of compressors. */
export class Compressors {
  #open = 0

  take(): boolean {
    if (this.#open >= compressorsMax) return false
    this.#open += 1
    return true
  }

  give(): void {
    this.#open -= 1
  }
}

export interface CompressionOptions {
  readonly owner: StreamEvents
  readonly accepted: Accepted
  readonly toHead: boolean
  readonly scanner: HeadScanner
  readonly budget: Compressors
  /** What was handed to the owner has to be sent now: no frame follows that would send it. */
  readonly flush: () => void
}

/**
 * A stream whose response is compressed on the way to its owner, if it is text that nobody has compressed yet. The agent
 * gets its credit for what was compressed once the visitor has taken what came of it, so a slow one holds no more here
 * than anywhere; and what the coder has is flushed whenever nothing more is waiting, so events arrive as they are sent.
 */
export class CompressedStream implements ExchangeStream, StreamEvents {
  readonly #options: CompressionOptions
  #inner: ExchangeStream | undefined
  #coder: Gzip | BrotliCompress | undefined
  /** The body is compressed, or was. */
  #compresses = false
  /** Bytes of the body that may still come. */
  #announced = Infinity
  /** Pieces that the coder has not taken in. */
  #waiting = 0
  /** Taken in, and not yet given back as credit. */
  #owedBytes = 0
  #undrainedBytes = 0
  #trailers: Buffer = Buffer.alloc(0)

  constructor(options: CompressionOptions) {
    this.#options = options
  }

  /** The stream that it hears of. */
  over(inner: ExchangeStream): this {
    this.#inner = inner
    return this
  }

  /** The tunnel has got a bandwidth limit in the middle of it. */
  pace(limits: TunnelLimits): void {
    if (this.#inner) this.#inner = paced(this.#inner, limits)
  }

  get closed(): boolean {
    return this.#inner?.closed !== false && !this.#coder
  }

  get localEnded(): boolean {
    return this.#inner?.localEnded === true
  }

  // To the agent

  data(chunk: Buffer, ended: boolean): boolean {
    return this.#inner?.data(chunk, ended) ?? true
  }

  end(trailers?: Buffer): void {
    this.#inner?.end(trailers)
  }

  reset(code?: string, details?: Details): void {
    this.#closeCoder()
    this.#inner?.release()
    this.#inner?.reset(code, details)
  }

  drained(bytes: number): void {
    if (!this.#compresses) {
      this.#inner?.drained(bytes)
      return
    }
    this.#undrainedBytes = Math.max(0, this.#undrainedBytes - bytes)
    this.#giveCredit()
  }

  release(): void {
    this.#closeCoder()
    this.#inner?.release()
  }

  // From the agent

  onHead(payload: Buffer, own: boolean): void {
    const { owner, scanner, accepted, toHead, budget } = this.#options
    const isRead = scanner.scanResponse(payload, 0, payload.length) === payload.length
    const { contentLength } = scanner
    const hasCoder = isRead && accepted.coding !== undefined && budget.take()
    const able = hasCoder ? accepted : { ...accepted, coding: undefined }
    const plan = isRead ? planCompression(scanner, payload, able) : undefined
    if (plan?.coding && !toHead) {
      this.#compresses = true
      if (contentLength >= 0) this.#announced = contentLength
      this.#coder = this.#openCoder(plan.coding)
    } else if (hasCoder) budget.give()
    owner.onHead(plan ? plan.head : payload, own)
  }

  onData(piece: Buffer, ended: boolean): void {
    if (!this.#coder) {
      this.#options.owner.onData(piece, ended)
      return
    }
    this.#announced -= piece.length
    if (this.#announced < 0) {
      this.#break()
      return
    }
    const { length } = piece
    const coder = this.#coder
    this.#waiting += 1
    // A copy: the coder works behind this call, and the bytes are the link's again when it returns.
    coder.write(Buffer.from(piece), () => {
      this.#waiting -= 1
      this.#owedBytes += length
      this.#giveCredit()
      if (this.#waiting === 0 && this.#coder && !coder.writableEnded) coder.flush()
    })
    if (ended) this.onEnd(this.#trailers)
  }

  onEnd(trailers: Buffer): void {
    if (!this.#coder) this.#options.owner.onEnd(trailers)
    else if (this.#announced > 0 && this.#announced !== Infinity) this.#break()
    else {
      // The link's chunk will be gone.
      this.#trailers = Buffer.from(trailers)
      this.#coder.end()
    }
  }

  onReset(code: string, details: Details): void {
    this.#closeCoder()
    this.#options.owner.onReset(code, details)
  }

  onResume(): void {
    this.#options.owner.onResume()
  }

  #openCoder(coding: Coding): Gzip | BrotliCompress {
    const { owner, flush } = this.#options
    const coder = coding === 'br' ? openBrotli() : createGzip({ level: 5 })
    coder.on('data', (piece: Buffer) => {
      if (this.#coder !== coder) return
      this.#undrainedBytes += piece.length
      owner.onData(piece, false)
      flush()
    })
    coder.on('end', () => {
      if (this.#coder !== coder) return
      this.#closeCoder()
      owner.onEnd(this.#trailers)
      flush()
    })
    // It fails only when it is destroyed in the middle of its work.
    coder.on('error', () => this.#closeCoder())
    return coder
  }

  /** The body is not as long as it was said to be: what the visitor has must not look whole. */
  #break(): void {
    this.#closeCoder()
    this.#inner?.reset()
    this.#options.owner.onReset('', {})
  }

  #closeCoder(): void {
    if (!this.#coder) return
    this.#coder.destroy()
    this.#coder = undefined
    this.#options.budget.give()
  }

  #giveCredit(): void {
    if (this.#owedBytes === 0 || this.#undrainedBytes > undrainedBytesMax) return
    const bytes = this.#owedBytes
    this.#owedBytes = 0
    this.#inner?.drained(bytes)
  }
}

/** A window of 256 KiB instead of 4 MiB: text gains little from more, and each response holds one. */
function openBrotli(): BrotliCompress {
  return createBrotliCompress({
    params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 },
  })
}
