import { createHash, timingSafeEqual } from 'node:crypto'

import type { EdgePolicy } from '@sluice/schema/claims'
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Block = [Address, number]

/** An edge policy made ready to be asked for each request. */
export interface CompiledPolicy {
  readonly users: ReadonlyMap<string, readonly Verifier[]> | undefined
  readonly allow: readonly Block[] | undefined
  readonly deny: readonly Block[] | undefined
  /** Authorization values that passed before. */
  readonly passed: LRUCache<string, true>
}

interface Verifier {
  readonly salt: Buffer
  readonly digest: Buffer
}

const passedMax = 500
/** Compared against when the user is unknown, so that the answer takes as long. */
const nobody: Verifier = { salt: Buffer.alloc(16), digest: Buffer.alloc(32) }

/** Undefined when there is nothing to check. An entry that cannot be read closes the tunnel rather than opening it. */
export function compilePolicy(policy: EdgePolicy): CompiledPolicy | undefined {
  const { basicAuth, allowIps, denyIps } = policy
  const allow = allowIps && allowIps.length > 0 ? allowIps.flatMap(blocksOf) : undefined
  const deny = denyIps && denyIps.length > 0 ? denyIps.flatMap(denyBlocksOf) : undefined
  const users = basicAuth && basicAuth.length > 0 ? verifiersOf(basicAuth) : undefined
  if (!allow && !deny && !users) return undefined
  return { users, allow, deny, passed: new LRUCache({ max: passedMax }) }
}

/** Whether an Authorization value names a user of the policy and proves the password. */
export function passesBasicAuth(policy: CompiledPolicy, authorization: string): boolean {
  if (!policy.users) return true
  if (policy.passed.has(authorization)) return true
  const match = /^basic +([a-z0-9+/]+={0,2})$/i.exec(authorization)
  const credentials = Buffer.from(match?.[1] ?? '', 'base64').toString('utf8')
  const colon = credentials.indexOf(':')
  const verifiers = colon < 0 ? undefined : policy.users.get(credentials.slice(0, colon))
  let passes = false
  for (const { salt, digest } of verifiers ?? [nobody]) {
    const given = createHash('sha256')
      .update(salt)
      .update(credentials.slice(colon + 1))
      .digest()
    if (timingSafeEqual(given, digest) && verifiers) passes = true
  }
  if (passes) policy.passed.set(authorization, true)
  return passes
}

/** Whether a socket's address may visit. A deny wins over an allow. */
export function allowsAddress(policy: CompiledPolicy, remoteAddress: string): boolean {
  if (!policy.allow && !policy.deny) return true
  if (!ipaddr.isValid(remoteAddress)) return false
  const address = ipaddr.process(remoteAddress)
  const { allow, deny } = policy
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

function verifiersOf(users: NonNullable<EdgePolicy['basicAuth']>) {
  const verifiers = new Map<string, Verifier[]>()
  for (const { user, verifier } of users) {
    const match = /^sha256:((?:[0-9a-f]{2})+):([0-9a-f]{64})$/i.exec(verifier)
    const [, salt = '', digest = ''] = match ?? []
    const known = verifiers.get(user) ?? []
    if (match) known.push({ salt: Buffer.from(salt, 'hex'), digest: Buffer.from(digest, 'hex') })
    // A user whose verifier cannot be read can prove nothing.
    verifiers.set(user, known)
  }
  return verifiers
}
