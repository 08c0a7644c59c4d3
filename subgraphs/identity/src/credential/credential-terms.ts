import { BlockList, isIP, isIPv6 } from 'node:net'

import { inputInvalid } from '../text.ts'

const allowedIpsMax = 50
const lifetimeDaysMax = 3_650
const dayMs = 86_400_000

/** What whoever makes a credential may say about its use. */
export interface CredentialTerms {
  expiresAt?: Date | null | undefined
  allowedIps?: readonly string[] | null | undefined
}

/** The terms of a row. */
export interface Terms {
  readonly expiresAt: Date | null
  readonly allowedIps: string[]
}

/** The terms as they are stored. Throws SLUICE_INPUT_INVALID for a time that is over and for what is no address. */
export function parseTerms({ expiresAt, allowedIps }: CredentialTerms, now: Date): Terms {
  if (expiresAt) {
    const leftMs = expiresAt.getTime() - now.getTime()
    if (leftMs <= 0) throw inputInvalid('expiresAt is over')
    if (leftMs > lifetimeDaysMax * dayMs) {
      throw inputInvalid(`expiresAt is more than ${lifetimeDaysMax} days ahead`)
    }
  }
  const blocks = Array.from(new Set((allowedIps ?? []).map((entry) => entry.trim())))
  if (blocks.length > allowedIpsMax) {
    throw inputInvalid(`allowedIps has more than ${allowedIpsMax} entries`)
  }
  for (const block of blocks) {
    if (parseBlock(block) === null) {
      throw inputInvalid(`${block.slice(0, 64)} is no address and no CIDR block`)
    }
  }
  return { expiresAt: expiresAt ?? null, allowedIps: blocks }
}

/** Whether a credential with this list may be used from an address. What is no address is on no list. */
export function isAllowedFrom(allowedIps: readonly string[], ip: string): boolean {
  if (allowedIps.length === 0) return true
  const address = plainIp(ip)
  if (isIP(address) === 0) return false
  const allowed = new BlockList()
  for (const entry of allowedIps) {
    const block = parseBlock(entry)
    if (block) allowed.addSubnet(block.address, block.bits, familyOf(block.address))
  }
  return allowed.check(address, familyOf(address))
}

/** Whether a credential could be used at a time, or from an address, that it could not be used at before. */
export function allowsMore(before: Terms, after: Terms): boolean {
  if (endsLater(before, after)) return true
  // A list without entries allows every address.
  if (after.allowedIps.length === 0) return before.allowedIps.length > 0
  return !after.allowedIps.every((entry) => isInside(entry, before.allowedIps))
}

export function endsLater({ expiresAt: before }: Terms, { expiresAt: after }: Terms): boolean {
  return before !== null && (after === null || after > before)
}

/** Whether each address of a block is on a list. Blocks that only together make up a larger one do not count as it. */
function isInside(entry: string, allowedIps: readonly string[]): boolean {
  if (allowedIps.length === 0) return true
  const inner = parseBlock(entry)
  return allowedIps.some((outer) => {
    const bits = parseBlock(outer)?.bits ?? Infinity
    return inner !== null && bits <= inner.bits && isAllowedFrom([outer], inner.address)
  })
}

function parseBlock(entry: string): { address: string; bits: number } | null {
  const [written = '', bits, ...rest] = entry.split('/')
  const address = plainIp(written)
  // A zone names an interface of one machine: another machine's list cannot mean it.
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return null
  const bitsMax = isIPv6(address) ? 128 : 32
  if (bits === undefined) return { address, bits: bitsMax }
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > bitsMax || address !== written) return null
  return { address, bits: Number(bits) }
}

/** An IPv4 address that reached an IPv6 socket, without its prefix. */
function plainIp(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  return mapped?.[1] ?? ip
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
