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

  /** What the control plane says is all there is. */
  replace(hosts: readonly SuspendedHost[]): void {
    this.#reasons = new Map(hosts.slice(0, hostsMax).map(({ name, reason }) => [name, reason]))
  }
}
