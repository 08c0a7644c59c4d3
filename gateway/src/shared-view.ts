import type { LiveSubscription, PublicResult } from './live-subscription.ts'
import type { UpstreamSink } from './upstream.ts'

interface Bounds {
  readonly events: number
  readonly bytes: number
  readonly window: number
}

interface Waiting {
  readonly payload: unknown
  readonly bytes: number
}

interface Joined extends Waiting {
  /** Events dropped before this one. */
  readonly missed: number
  result: PublicResult | null
}

/** Who reads a view, and as whom. */
export interface Member<Asker> {
  readonly live: LiveSubscription
  readonly asker: Asker
}

/**
 * One subscription at a subgraph, and the joins of its events, for everybody who asked for the same and may see the
 * same. Events wait in a bounded queue, a window of them is joined at once, and they leave in order to every member's
 * own bounded queue. Joins run as long as one member keeps up; the others lose events by their own queues.
 */
export class SharedView<Asker> implements UpstreamSink {
  readonly #join: (payload: unknown, asker: Asker, signal: AbortSignal) => Promise<PublicResult>
  readonly #onDrop: (events: number) => void
  readonly #onEmpty: () => void
  readonly #onOver: (reason: string, members: number) => void
  readonly #refusal: (errors: readonly unknown[]) => PublicResult
  readonly #failure: (how: 'lost' | 'unreachable') => PublicResult
  readonly #bounds: Bounds
  readonly #members = new Set<Member<Asker>>()
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #missed = 0
  readonly #joins: Joined[] = []
  readonly #stop = new AbortController()
  #over: { last: PublicResult | null } | null = null

  constructor(options: {
    /** Runs the rest of the plan for one event. Never rejects. */
    join: (payload: unknown, asker: Asker, signal: AbortSignal) => Promise<PublicResult>
    onDrop: (events: number) => void
    /** The last member has left: the upstream may go. */
    onEmpty: () => void
    /** The upstream is over, and why. */
    onOver: (reason: string, members: number) => void
    refusal: (errors: readonly unknown[]) => PublicResult
    failure: (how: 'lost' | 'unreachable') => PublicResult
    bounds: Bounds
  }) {
    this.#join = options.join
    this.#onDrop = options.onDrop
    this.#onEmpty = options.onEmpty
    this.#onOver = options.onOver
    this.#refusal = options.refusal
    this.#failure = options.failure
    this.#bounds = options.bounds
  }

  /** Whether somebody may still be added: what is over has nothing for them. */
  get isOpen(): boolean {
    return this.#over === null && !this.#stop.signal.aborted
  }

  add(member: Member<Asker>): void {
    this.#members.add(member)
    member.live.onceEnded(() => {
      this.#members.delete(member)
      if (this.#members.size > 0) return this.#fill()
      this.#stop.abort(new DOMException('nobody reads it any more', 'AbortError'))
      this.#onEmpty()
    })
  }

  /** A member has read: there may be room. */
  readonly read = (): void => this.#fill()

  // UpstreamSink

  event(payload: unknown, bytes: number): void {
    this.#waiting.push({ payload, bytes })
    this.#waitingBytes += bytes
    while (
      this.#waiting.length > this.#bounds.events ||
      (this.#waitingBytes > this.#bounds.bytes && this.#waiting.length > 1)
    ) {
      this.#waitingBytes -= this.#waiting.shift()?.bytes ?? 0
      this.#missed += 1
      this.#onDrop(this.#members.size)
    }
    this.#fill()
  }

  complete(): void {
    this.#finish('complete', null)
  }

  refused(errors: readonly unknown[]): void {
    this.#finish('refused', this.#refusal(errors))
  }

  failed(how: 'lost' | 'unreachable'): void {
    this.#finish(how, this.#failure(how))
  }

  /** Events that wait are still joined and read, then `last`. */
  #finish(reason: string, last: PublicResult | null): void {
    this.#over = { last }
    this.#onOver(reason, this.#members.size)
    this.#fill()
  }

  #fill(): void {
    while (this.#joins.length < this.#bounds.window && this.#isWanted()) {
      const event = this.#waiting.shift()
      if (!event) break
      this.#waitingBytes -= event.bytes
      const joined: Joined = { ...event, missed: this.#missed, result: null }
      this.#missed = 0
      this.#joins.push(joined)
      void this.#joined(joined)
    }
    if (this.#over === null || this.#joins.length > 0 || this.#waiting.length > 0) return
    for (const { live } of this.#members) live.finish(this.#over.last)
  }

  #isWanted(): boolean {
    for (const { live } of this.#members) if (live.hasRoom) return true
    return false
  }

  async #joined(joined: Joined): Promise<void> {
    const [member] = this.#members
    if (!member) return
    joined.result = await this.#join(joined.payload, member.asker, this.#stop.signal)
    for (let first = this.#joins[0]; first?.result; first = this.#joins[0]) {
      this.#joins.shift()
      for (const { live } of this.#members) live.push(first.result, first.bytes, first.missed)
    }
    this.#fill()
  }
}
