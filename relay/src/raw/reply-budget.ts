import { TokenBucket } from '../token-bucket.ts'

/** Replies to a source that may be made up, as a multiple of what came from it: RFC 9000 §8.1. */
export const replyFactorMax = 3
/** What one flow may get beyond the factor: a large DNS answer, say. */
export const replyAllowanceBytesPerFlow = 4_096
/** What a tunnel may send beyond the factor to all such sources together. */
const replyAllowanceBytesPerSecond = 65_536
const replyAllowanceBurstBytes = 262_144

/** A source that has answered replies so often is likely to be there. Whoever makes it up sends blindly, and may look like it. */
export const validatedAnswers = 4
/** Replies to a source that answers, as a multiple of what comes from it. */
const answeredFactorMax = 64
/** The same from `sustainedAnswers` on: acknowledgements of 75 bytes for ten packets, as of a QUIC download, are 1 to 180. */
export const sustainedFactorMax = 256
const sustainedAnswers = 64
/** What a tunnel may send beyond those to all such sources together: video that is hardly acknowledged, say. */
export const streamAllowanceBytesPerSecond = 2_097_152
export const streamAllowanceBurstBytes = 4_194_304
/** What any source may be sent before it says something again. */
export const unansweredReplyBytesMax = 1_048_576
/** IPv4 and UDP headers, which travel with every datagram. */
const headerBytes = 28

/** What a tunnel may reply beyond the factors: nothing proves that a source of datagrams is who it says. */
export class ReplyBudget {
  readonly #unanswered = new TokenBucket(replyAllowanceBytesPerSecond, replyAllowanceBurstBytes)
  readonly #streams = new TokenBucket(streamAllowanceBytesPerSecond, streamAllowanceBurstBytes)

  takeUnanswered(bytes: number, nowMs: number): boolean {
    return this.#unanswered.take(nowMs, bytes)
  }

  takeStream(bytes: number, nowMs: number): boolean {
    return this.#streams.take(nowMs, bytes)
  }
}

/** One visitor's address and port: what came from it decides what may go to it, so that nobody can be flooded in its name. */
export class ReplySource {
  readonly #budget: ReplyBudget
  /** Reply bytes that its own datagrams have earned. */
  #earnedBytes = 0
  #beyondBytes = 0
  #answers = 0
  #repliedSinceBytes = 0

  constructor(budget: ReplyBudget) {
    this.#budget = budget
  }

  get validated(): boolean {
    return this.#answers >= validatedAnswers
  }

  received(bytes: number): void {
    if (this.#repliedSinceBytes > 0) this.#answers += 1
    this.#repliedSinceBytes = 0
    const earned = (bytes + headerBytes) * this.#factor
    this.#earnedBytes = Math.min(unansweredReplyBytesMax, this.#earnedBytes + earned)
  }

  /** Whether a reply of this size may go out. */
  mayReply(bytes: number, nowMs: number): boolean {
    const cost = bytes + headerBytes
    if (this.#repliedSinceBytes + cost > unansweredReplyBytesMax) return false
    if (cost <= this.#earnedBytes) this.#earnedBytes -= cost
    else if (!this.#takeBeyond(cost, nowMs)) return false
    this.#repliedSinceBytes += cost
    return true
  }

  get #factor(): number {
    if (!this.validated) return replyFactorMax
    return this.#answers < sustainedAnswers ? answeredFactorMax : sustainedFactorMax
  }

  #takeBeyond(cost: number, nowMs: number): boolean {
    if (this.validated) return this.#budget.takeStream(cost, nowMs)
    if (this.#beyondBytes + cost > replyAllowanceBytesPerFlow) return false
    if (!this.#budget.takeUnanswered(cost, nowMs)) return false
    this.#beyondBytes += cost
    return true
  }
}
