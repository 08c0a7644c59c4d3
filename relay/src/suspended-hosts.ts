/** An address that is out of service: an endpoint host, or `tcp:<port>`, `udp:<port>`. */
export interface SuspendedHost {
  readonly name: string
  /** For the agent, never for visitors. */
  readonly reason: string
}

/** As many as the control plane lists at most. */
const hostsMax = 20_000

/** Addresses that staff has taken out of service: visitors are told so, and no agent serves them. */
export class SuspendedHosts {
  #reasons = new Map<string, string>()
  #closed: ReadonlySet<string> = new Set()

  has(name: string): boolean {
    return this.#reasons.size > 0 && this.#reasons.has(name)
  }

  /** The first of these names that is suspended. */
  among(names: readonly string[]): SuspendedHost | undefined {
    const name = this.#reasons.size > 0 && names.find((one) => this.#reasons.has(one))
    return name ? { name, reason: this.#reasons.get(name) ?? '' } : undefined
  }

  add({ name, reason }: SuspendedHost): void {
    if (this.#reasons.size < hostsMax) this.#reasons.set(name, reason)
  }

  remove(name: string): void {
    this.#reasons.delete(name)
  }

  /**
   * Whether a host is out of service while nobody serves it: its organization or owner is suspended. Agents are not
   * refused for that, but because their tokens are void.
   */
  isClosed(endpointHost: string): boolean {
    return this.#closed.has(endpointHost)
  }

  /** What the control plane says is all there is. */
  replace(hosts: readonly SuspendedHost[], closed: readonly string[]): void {
    this.#reasons = new Map(hosts.slice(0, hostsMax).map(({ name, reason }) => [name, reason]))
    this.#closed = new Set(closed.slice(0, hostsMax))
  }
}
