import { TokenBucket } from '../token-bucket.ts'

/** Replies to a source that may be made up, as a multiple of what came from it: RFC 9000 §8.1. */
export const replyFactorMax = 3
/** What one flow may get beyond the factor: a large DNS answer, say. */
export const replyAllowanceBytesPerFlow = 4_096
/** What a tunnel may send beyond the factor to all such sources together. */
const replyAllowanceBytesPerSecond = 65_536
const replyAllowanceBurstBytes = 262_144
/** A source that has answered replies so often is there. */
export const validatedAnswers = 4
/** What a source that is there may be sent before it says something again. */
export const unansweredReplyBytesMax = 1_048_576
/** IPv4 and UDP headers, which travel with every datagram. */
const headerBytes = 28

/** What a tunnel may still reply to sources whose address proves nothing. */
export class ReplyBudget {
  readonly #beyond = new TokenBucket(replyAllowanceBytesPerSecond, replyAllowanceBurstBytes)

  takeBeyond(bytes: number, nowMs: number): boolean {
    return this.#beyond.take(nowMs, bytes)
  }
}

/** One visitor's address and port: what came from it decides what may go to it, so that nobody can be flooded in its name. */
export class ReplySource {
  readonly #budget: ReplyBudget
  #receivedBytes = 0
  #repliedBytes = 0
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
    this.#receivedBytes += bytes + headerBytes
    if (this.#repliedSinceBytes > 0) this.#answers += 1
    this.#repliedSinceBytes = 0
  }

  /** Whether a reply of this size may go out. */
  mayReply(bytes: number, nowMs: number): boolean {
    const cost = bytes + headerBytes
    if (!this.#allows(cost, nowMs)) return false
    this.#repliedSinceBytes += cost
    return true
  }

  #allows(cost: number, nowMs: number): boolean {
    if (this.validated) return this.#repliedSinceBytes + cost <= unansweredReplyBytesMax
    if (this.#repliedBytes + cost <= this.#receivedBytes * replyFactorMax) {
      this.#repliedBytes += cost
      return true
    }
    if (this.#beyondBytes + cost > replyAllowanceBytesPerFlow) return false
    if (!this.#budget.takeBeyond(cost, nowMs)) return false
    this.#beyondBytes += cost
    return true
  }
}
