import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Block = [Address, number]

/** Addresses whose verdict is kept: reading one costs more than the rest of a policy, and visitors ask more than once. */
const verdictsMax = 256

/** Which addresses may visit. A deny wins over an allow. */
export interface AddressRules {
  readonly allow: readonly Block[] | undefined
  readonly deny: readonly Block[] | undefined
  /** What came of addresses that have asked before. */
  readonly verdicts: Map<string, boolean>
}

/** Undefined when everybody may visit. An entry that cannot be read closes the tunnel rather than opening it. */
export function compileAddresses(
  allowIps: readonly string[] = [],
  denyIps: readonly string[] = [],
): AddressRules | undefined {
  if (allowIps.length + denyIps.length === 0) return undefined
  return {
    allow: allowIps.length > 0 ? allowIps.flatMap(blocksOf) : undefined,
    deny: denyIps.length > 0 ? denyIps.flatMap(denyBlocksOf) : undefined,
    verdicts: new Map(),
  }
}

/** Whether a socket's address is let in: not by the deny list, then by the allow list. */
export function passesAddress(rules: AddressRules, remoteAddress: string): boolean {
  const { verdicts } = rules
  const before = verdicts.get(remoteAddress)
  if (before !== undefined) return before
  const verdict = judge(rules, remoteAddress)
  if (verdicts.size >= verdictsMax) verdicts.clear()
  verdicts.set(remoteAddress, verdict)
  return verdict
}

function judge({ allow, deny }: AddressRules, remoteAddress: string): boolean {
  if (!ipaddr.isValid(remoteAddress)) return false
  const address = ipaddr.process(remoteAddress)
  if (deny && [address, ...embeddedIpv4(address)].some((form) => isIn(form, deny))) return false
  // An embedded address is a claim: enough to keep somebody out, not to let them in. Who trusts a prefix may allow it.
  return !allow || isIn(address, allow)
}

function isIn(address: Address, blocks: readonly Block[]): boolean {
  return blocks.some(([base, bits]) => address.kind() === base.kind() && address.match(base, bits))
}

/** The IPv4 address inside a NAT64 (64:ff9b::/96) or 6to4 (2002::/16) address. */
function embeddedIpv4(address: Address): ipaddr.IPv4[] {
  if (!(address instanceof ipaddr.IPv6)) return []
  const bytes = address.toByteArray()
  const range = address.range()
  if (range === 'rfc6052') return [new ipaddr.IPv4(bytes.slice(12, 16))]
  if (range === '6to4') return [new ipaddr.IPv4(bytes.slice(2, 6))]
  return []
}

function blocksOf(entry: string): Block[] {
  try {
    if (entry.includes('/')) return [normalized(ipaddr.parseCIDR(entry))]
    const address = ipaddr.process(entry)
    return [[address, address.kind() === 'ipv4' ? 32 : 128]]
  } catch {
    // An allow entry that nobody can match: the tunnel stays closed to it.
    return []
  }
}

/** A deny entry that cannot be read denies everybody: dropping it would let in whom the owner meant to keep out. */
function denyBlocksOf(entry: string): Block[] {
  const blocks = blocksOf(entry)
  if (blocks.length > 0) return blocks
  return [
    [ipaddr.parse('0.0.0.0'), 0],
    [ipaddr.parse('::'), 0],
  ]
}

function normalized([address, bits]: Block): Block {
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) {
    return [address.toIPv4Address(), bits - 96]
  }
  return [address, bits]
}
