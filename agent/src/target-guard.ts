import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

import { SluiceError } from '@sluice/schema/errors'

import { findNetwork } from './network.ts'
import type { Upstream } from './target.ts'

/**
 * Addresses that nobody means as a local service, and that give away credentials of the machine: link-local ones with
 * the metadata services of clouds, those that clouds put elsewhere, and what is no single machine.
 */
const refusedNetworks: readonly [string, string][] = [
  ['169.254.0.0/16', 'link-local addresses hold the metadata services of clouds'],
  ['fe80::/10', 'link-local addresses are of no use behind a tunnel'],
  ['fd00:ec2::254/128', 'it is a metadata service of a cloud'],
  ['fd20:ce::254/128', 'it is a metadata service of a cloud'],
  ['100.100.100.200/32', 'it is a metadata service of a cloud'],
  ['168.63.129.16/32', 'it is a metadata service of a cloud'],
  ['192.0.0.192/32', 'it is a metadata service of a cloud'],
  ['224.0.0.0/4', 'it is a group of machines'],
  ['ff00::/8', 'it is a group of machines'],
  ['255.255.255.255/32', 'it is a group of machines'],
]

/** Decides where an agent may connect to. */
export interface TargetGuard {
  /** Throws when the target is an address that is refused. A name is checked when it is resolved. */
  check(target: Upstream): void
  /** Resolves a name, checks every address, and hands over these very addresses to connect to. */
  readonly lookup: LookupFunction
}

/** `allowed`: addresses and blocks that the person named on purpose. */
export function createTargetGuard(
  allowed: readonly string[] = [],
  resolve: typeof systemLookup = systemLookup,
): TargetGuard {
  const exceptions = blockListOf(allowed)
  const refused = refusedNetworks.map(([network, why]) => ({ list: blockListOf([network]), why }))

  function reasonAgainst(address: string): string | undefined {
    if (holds(exceptions, address)) return undefined
    const plain = embeddedIpv4(address) ?? address
    if (plain !== address && holds(exceptions, plain)) return undefined
    return refused.find(({ list }) => holds(list, plain))?.why
  }

  return {
    check(target) {
      if (isIP(target.host) === 0) return
      const reason = reasonAgainst(target.host)
      if (reason !== undefined) throw refusal(target.host, target.host, reason)
    },
    lookup(host, options, done) {
      const name = host.endsWith('.localhost') ? 'localhost' : host
      resolve(name, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
        const [first] = addresses ?? []
        if (error || first === undefined) {
          done(error ?? notFound(host), '', 0)
          return
        }
        for (const { address } of addresses) {
          const reason = reasonAgainst(address)
          if (reason !== undefined) {
            done(refusal(host, address, reason), '', 0)
            return
          }
        }
        if (options.all === true) done(null, addresses)
        else done(null, first.address, first.family)
      })
    },
  }
}

function refusal(target: string, address: string, why: string): SluiceError {
  const reason = `${address} is refused: ${why}.`
  return new SluiceError('SLUICE_TARGET_REFUSED', { target, address, reason })
}

function notFound(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} does not resolve`), { code: 'ENOTFOUND' })
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const found = findNetwork(network)
    if (!found) {
      const reason = `--allow-target takes an address or a block such as 169.254.0.0/16, not ${network}.`
      throw new SluiceError('SLUICE_USAGE', { reason, command: 'http' })
    }
    list.addSubnet(found.address, found.bits, found.family)
  }
  return list
}

function holds(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** The IPv4 address inside a mapped, NAT64 or 6to4 address: routers take the one for the other. */
function embeddedIpv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const groups = groupsOf(address)
  const [first, second, third] = groups
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0)
  const pair = (high = 0, low = 0) => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  if (isZero(0, 5) && (groups[5] === 0xff_ff || (groups[5] === 0 && groups[6] !== 0))) {
    return pair(groups[6], groups[7])
  }
  if (first === 0x64 && second === 0xff_9b && isZero(2, 6)) return pair(groups[6], groups[7])
  return first === 0x20_02 ? pair(second, third) : undefined
}

/** The eight groups of an IPv6 address that `isIP` has taken. */
function groupsOf(address: string): number[] {
  const bare = address.split('%')[0] ?? ''
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(bare)
  const [a = 0, b = 0, c = 0, d = 0] = (dotted?.slice(1) ?? []).map(Number)
  const hex = dotted
    ? `${bare.slice(0, dotted.index)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
    : bare
  const [left = '', right] = hex.split('::')
  const numbers = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  if (right === undefined) return numbers(left)
  const [before, after] = [numbers(left), numbers(right)]
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}
