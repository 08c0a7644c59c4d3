import type { LiveSubscription, QueueBounds } from './live-subscription.ts'
import type { UpstreamSink } from './upstream.ts'

interface Waiting {
  readonly payload: unknown
  readonly bytes: number
}

/** Events that are joined at once. */
interface Batch {
  readonly size: number
  /** Events dropped before the first. */
  readonly missed: number
  /** Each as JSON, once they are joined. */
  results: readonly string[] | null
}

/** Who reads a view, and as whom. */
export interface Member<Asker> {
  readonly live: LiveSubscription
  readonly asker: Asker
}

interface SharedViewOptions<Asker> {
  /** Runs the rest of the plan for some events, and gives each as JSON. Never rejects. */
  join(payloads: readonly unknown[], asker: Asker, signal: AbortSignal): Promise<readonly string[]>
  /** Calls `begin` when this asker's joins may begin. */
  whenToJoin(asker: Asker, begin: () => Promise<void>): void
  onDrop(events: number): void
  /** Nobody may be added any more: the last member has left, or the upstream is over. */
  onClosed(): void
  /** The last payload, as JSON. */
  refusal(errors: readonly unknown[]): string
  failure(how: 'lost' | 'unreachable'): string
  readonly bounds: QueueBounds
}

/**
 * One subscription at a subgraph, and the joins of its events, for everybody who asked for the same and may see the
 * same. Events wait in a bounded queue, a window of them is joined at once, and they leave in order to every member's
 * own bounded queue. Joins run as long as one member keeps up; the others lose events by their own queues.
 */
export class SharedView<Asker> implements UpstreamSink {
  readonly #options: SharedViewOptions<Asker>
  readonly #members = new Set<Member<Asker>>()
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #missed = 0
  readonly #batches: Batch[] = []
  /** Events of all batches. */
  #joining = 0
  /** A batch is about to begin. */
  #called = false
  readonly #stop = new AbortController()
  #over: { reason: string; last: string | null } | null = null

  constructor(options: SharedViewOptions<Asker>) {
    this.#options = options
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
      this.#options.onClosed()
    })
  }

  /** A member has room again. */
  readonly hasRoom = (): void => this.#fill()

  // UpstreamSink

  event(payload: unknown, bytes: number): void {
    const { bounds } = this.#options
    this.#waiting.push({ payload, bytes })
    this.#waitingBytes += bytes
    while (
      this.#waiting.length > bounds.events ||
      (this.#waitingBytes > bounds.bytes && this.#waiting.length > 1)
    ) {
      this.#waitingBytes -= this.#waiting.shift()?.bytes ?? 0
      this.#missed += 1
      this.#options.onDrop(this.#members.size)
    }
    this.#fill()
  }

  complete(): void {
    this.#finish('complete', null)
  }

  refused(errors: readonly unknown[]): void {
    this.#finish('refused', this.#options.refusal(errors))
  }

  failed(how: 'lost' | 'unreachable'): void {
    this.#finish(how, this.#options.failure(how))
  }

  /** Events that wait are still joined and read, then `last`. */
  #finish(reason: string, last: string | null): void {
    this.#over = { reason, last }
    this.#options.onClosed()
    this.#fill()
  }

  /** Has the next batch begin if there is anything to join, and somebody to read it. */
  #fill(): void {
    if (this.#waiting.length > 0) {
      if (this.#called || this.#joining >= this.#options.bounds.window) return
      const asker = this.#asker()
      if (!asker || !this.#isWanted()) return
      this.#called = true
      this.#options.whenToJoin(asker, () => this.#joinBatch())
    } else if (this.#over && this.#batches.length === 0) {
      const { reason, last } = this.#over
      for (const { live } of this.#members) live.finish(reason, last)
    }
  }

  /** Whoever is still there. */
  #asker(): Asker | undefined {
    const [member] = this.#members
    return member?.asker
  }

  #isWanted(): boolean {
    for (const { live } of this.#members) if (live.hasRoom) return true
    return false
  }

  async #joinBatch(): Promise<void> {
    this.#called = false
    const asker = this.#asker()
    if (!asker) return
    const events = this.#waiting.splice(0, this.#options.bounds.window - this.#joining)
    for (const { bytes } of events) this.#waitingBytes -= bytes
    const batch: Batch = { size: events.length, missed: this.#missed, results: null }
    this.#missed = 0
    this.#batches.push(batch)
    this.#joining += batch.size
    this.#fill()
    const payloads = events.map(({ payload }) => payload)
    batch.results = await this.#options.join(payloads, asker, this.#stop.signal)
    for (let first = this.#batches[0]; first?.results; first = this.#batches[0]) {
      this.#batches.shift()
      this.#joining -= first.size
      for (const { live } of this.#members) live.push(first.results, first.missed)
    }
    this.#fill()
  }
}
