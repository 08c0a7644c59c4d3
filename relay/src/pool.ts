import type { TunnelSession } from './sessions.ts'

/** Sessions that serve one tunnel together. Never empty while one of them holds the tunnel's names. */
export class Pool {
  readonly #members = new Set<TunnelSession>()

  get size(): number {
    return this.#members.size
  }

  /** Visitor requests being served now by all of them. */
  get active(): number {
    let active = 0
    for (const member of this.#members) active += member.active
    return active
  }

  add(member: TunnelSession): void {
    this.#members.add(member)
    member.pool = this
  }

  remove(member: TunnelSession): void {
    this.#members.delete(member)
  }

  /** The member with the least requests in flight; one that takes none is the last resort. */
  pick(): TunnelSession | undefined {
    let best: TunnelSession | undefined
    for (const member of this.#members) if (!best || isBetter(member, best)) best = member
    return best
  }

  [Symbol.iterator](): Iterator<TunnelSession> {
    return this.#members.values()
  }
}

function isBetter(one: TunnelSession, other: TunnelSession): boolean {
  const accepting = one.session.accepting
  if (accepting !== other.session.accepting) return accepting
  return one.active < other.active
}
