import { Resolver } from 'node:dns/promises'

import { challengeLabel } from './domain-name.ts'
import { printable } from './printable.ts'

export interface DnsOptions {
  /** Addresses of DNS servers, with port if not 53. Without them those of the system are asked. */
  dnsServers?: readonly string[] | undefined
}

/** What DNS says about the TXT record of a domain. */
export interface TxtCheck {
  /** `null` is: DNS did not answer, which proves nothing. */
  txtFound: boolean | null
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

/** A resolver for one check: a shared one may answer from its cache, and people wait for a change to show. */
export function openResolver({ dnsServers }: DnsOptions): Resolver {
  const resolver = new Resolver({ timeout: queryTimeoutMs, tries: queryTries })
  if (dnsServers?.length) resolver.setServers(dnsServers)
  return resolver
}

/** Asks DNS whether the TXT record proves that whoever was given the token controls the domain. */
export async function checkTxt(
  resolver: Resolver,
  domain: string,
  token: string,
): Promise<TxtCheck> {
  const want = txtValueOf(token)
  const answer = await askDns(() => resolver.resolveTxt(txtNameOf(domain)))
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

/** The answer; empty when the name or the record does not exist; null when nobody answered. */
export async function askDns<T>(query: () => Promise<T[]>): Promise<T[] | null> {
  try {
    return await query()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : null
  }
}
