/** IPv6 visitors come with a /64 each: an address of it costs them nothing. */
const ipv6PrefixGroups = 4

/** Counts the handshakes under way of each address. */
export class HandshakeLimit {
  readonly #perAddressMax: number
  readonly #byAddress = new Map<string, number>()

  constructor(perAddressMax: number) {
    this.#perAddressMax = perAddressMax
  }

  /** False: the address has as many under way as it may. */
  begin(address: string): boolean {
    const key = keyOf(address)
    const count = this.#byAddress.get(key) ?? 0
    if (count >= this.#perAddressMax) return false
    this.#byAddress.set(key, count + 1)
    return true
  }

  end(address: string): void {
    const key = keyOf(address)
    const count = this.#byAddress.get(key) ?? 0
    if (count > 1) this.#byAddress.set(key, count - 1)
    else this.#byAddress.delete(key)
  }

  /** Addresses with a handshake under way. */
  get size(): number {
    return this.#byAddress.size
  }
}

function keyOf(address: string): string {
  if (address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const behind = tail === undefined || tail === '' ? 0 : tail.split(':').length
  const zeros = tail === undefined ? 0 : 8 - groups.length - behind
  return [...groups, ...Array.from({ length: zeros }, () => '0')]
    .slice(0, ipv6PrefixGroups)
    .join(':')
}
