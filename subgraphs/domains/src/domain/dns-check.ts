import { Resolver } from 'node:dns/promises'

import { printable } from '../printable.ts'
import { challengeLabel } from './domain-name.ts'

export interface DnsOptions {
  /** Addresses of DNS servers, with port if not 53. Without them those of the system are asked. */
  dnsServers?: readonly string[] | undefined
}

/** What DNS says about a domain. `null` is: DNS did not answer, which proves nothing. */
export interface DnsCheck {
  txtFound: boolean | null
  cnameFound: boolean | null
  /** Why the domain is not proven, for people; null when it is. */
  problem: string | null
}

const queryTimeoutMs = 2_000
const queryTries = 2

export function txtNameOf(domain: string): string {
  return `${challengeLabel}.${domain}`
}

export function txtValueOf(token: string): string {
  return `sluice-verify=${token}`
}

/** Asks DNS whether the TXT record proves the domain, and whether the domain leads to `cnameTarget`. */
export async function checkDns(
  one: { domain: string; token: string; cnameTarget: string },
  options: DnsOptions,
  signal?: AbortSignal,
): Promise<DnsCheck> {
  const resolver = openResolver(options)
  const cancel = () => resolver.cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    const [txt, cnameFound] = await Promise.all([
      checkTxt(resolver, one.domain, one.token),
      checkCname(resolver, one.domain, one.cnameTarget),
    ])
    return { ...txt, cnameFound }
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

/** A resolver for one check: a shared one may answer from its cache, and people wait for a change to show. */
export function openResolver({ dnsServers }: DnsOptions): Resolver {
  const resolver = new Resolver({ timeout: queryTimeoutMs, tries: queryTries })
  if (dnsServers?.length) resolver.setServers(dnsServers)
  return resolver
}

async function checkTxt(resolver: Resolver, domain: string, token: string) {
  const want = txtValueOf(token)
  const answer = await ask(() => resolver.resolveTxt(txtNameOf(domain)))
  if (answer === null) return { txtFound: null, problem: 'DNS did not answer' }
  // One record may come in several pieces (RFC 7208 §3.3 joins them the same way).
  const have = answer.map((pieces) => pieces.join('').trim())
  if (have.includes(want)) return { txtFound: true, problem: null }
  const other = have.find((value) => value.startsWith('sluice-verify=')) ?? have[0]
  return {
    txtFound: false,
    problem:
      other === undefined
        ? `there is no TXT record ${txtNameOf(domain)}`
        : `the TXT record is “${printable(other, 100)}”, it should be “${want}”`,
  }
}

async function checkCname(
  resolver: Resolver,
  domain: string,
  cnameTarget: string,
): Promise<boolean | null> {
  const aliases = await ask(() => resolver.resolveCname(domain))
  if (aliases?.some((alias) => alias.toLowerCase().replace(/\.$/, '') === cnameTarget)) return true
  if (aliases === null || aliases.length > 0) return aliases === null ? null : false

  // At the top of a zone no CNAME can stand: many DNS providers copy the target's addresses there instead.
  const [own, target] = await Promise.all([
    ask(() => addressesOf(resolver, domain)),
    ask(() => addressesOf(resolver, cnameTarget)),
  ])
  if (own === null || target === null) return null
  return own.some((address) => target.includes(address))
}

/** IPv4 addresses first, then IPv6. Throws when neither could be asked. */
export async function addressesOf(resolver: Resolver, name: string): Promise<string[]> {
  const [v4, v6] = await Promise.all([
    ask(() => resolver.resolve4(name)),
    ask(() => resolver.resolve6(name)),
  ])
  if (v4 === null && v6 === null) throw new Error('DNS did not answer')
  return [...(v4 ?? []), ...(v6 ?? [])]
}

/** The answer; empty when the name or the record does not exist; null when nobody answered. */
async function ask<T>(query: () => Promise<T[]>): Promise<T[] | null> {
  try {
    return await query()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : null
  }
}
