import { closeCode, type Session } from '@sluice/wire'

/** Links at once whose agent has not shown a right token: a storm of agents that come back fits. Beyond it the oldest is cut. */
const greetingsMax = 5_000

/** Links that anybody may have opened. They take no place of a session, so that nobody keeps agents out with them. */
export class Greetings {
  readonly #max: number
  /** Oldest first. */
  readonly #sessions = new Set<Session>()

  constructor(max: number = greetingsMax) {
    this.#max = max
  }

  get size(): number {
    return this.#sessions.size
  }

  began(session: Session): void {
    this.#sessions.add(session)
    const [oldest] = this.#sessions
    if (this.#sessions.size <= this.#max || !oldest) return
    this.ended(oldest)
    oldest.close(closeCode.helloTimeout, 'others wait for its place', true)
  }

  ended(session: Session): void {
    this.#sessions.delete(session)
  }
}
