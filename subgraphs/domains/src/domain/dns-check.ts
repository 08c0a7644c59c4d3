import type { Resolver } from 'node:dns/promises'

import {
  askDns,
  checkTxt,
  openResolver,
  type DnsOptions,
  type TxtCheck,
} from '@sluice/kit/dns-proof'

/** What DNS says about a domain. */
export interface DnsCheck extends TxtCheck {
  /** `null` is: DNS did not answer. */
  cnameFound: boolean | null
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

async function checkCname(
  resolver: Resolver,
  domain: string,
  cnameTarget: string,
): Promise<boolean | null> {
  const aliases = await askDns(() => resolver.resolveCname(domain))
  if (aliases?.some((alias) => alias.toLowerCase().replace(/\.$/, '') === cnameTarget)) return true
  if (aliases === null || aliases.length > 0) return aliases === null ? null : false

  // At the top of a zone no CNAME can stand: many DNS providers copy the target's addresses there instead.
  const [own, target] = await Promise.all([
    askDns(() => addressesOf(resolver, domain)),
    askDns(() => addressesOf(resolver, cnameTarget)),
  ])
  if (own === null || target === null) return null
  return own.some((address) => target.includes(address))
}

/** IPv4 addresses first, then IPv6. Throws when neither could be asked. */
export async function addressesOf(resolver: Resolver, name: string): Promise<string[]> {
  const [v4, v6] = await Promise.all([
    askDns(() => resolver.resolve4(name)),
    askDns(() => resolver.resolve6(name)),
  ])
  if (v4 === null && v6 === null) throw new Error('DNS did not answer')
  return [...(v4 ?? []), ...(v6 ?? [])]
}
