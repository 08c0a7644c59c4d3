import { domainToASCII } from 'node:url'

import { SluiceError } from '@sluice/schema/errors'

/** Where the TXT record lives, below the domain. */
export const challengeLabel = '_sluice-challenge'

/** A DNS name has at most 253 characters, and the challenge label must fit in front. */
const domainCharactersMax = 253 - challengeLabel.length - 1
const labelForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** `domainToASCII` reads like a URL's host and would cut what follows them. */
const urlCharacters = /[/\\?#:@%[\]]/

/** Names that never belong to one customer: special use (RFC 6761, 6762, 7686, 8375) and private networks. */
const reservedTopLabels = new Set(
  'arpa corp home internal intranet invalid lan local localdomain localhost onion'.split(' '),
)

/** Second labels under which registries of two-letter top labels sell names: `co.uk` is nobody's own. */
const registryLabels = new Set('ac co com edu gob gov gouv mil net or org ne go nom sch'.split(' '))

/**
 * The canonical form of what a person typed: lower case, IDNA as `xn--`, no trailing dot. Throws
 * SLUICE_DOMAIN_INVALID for addresses, single labels, names nobody can own, and names of this Sluice server.
 */
export function parseDomainName(text: string, ownApexes: readonly string[]): string {
  const invalid = new SluiceError('SLUICE_DOMAIN_INVALID', { domain: text.slice(0, 100) })
  if (text.length > 1_000 || urlCharacters.test(text)) throw invalid

  // Numeric names come out as an IPv4 address here, whatever notation they had.
  const domain = domainToASCII(text.trim()).replace(/\.$/, '')
  if (domain.length > domainCharactersMax) throw invalid

  const labels = domain.split('.')
  const [topLabel = '', secondLabel = ''] = labels.toReversed()
  if (labels.length < 2 || !labels.every((label) => labelForm.test(label))) throw invalid
  if (!/[a-z]/.test(topLabel) || reservedTopLabels.has(topLabel)) throw invalid
  if (labels.length === 2 && topLabel.length === 2 && registryLabels.has(secondLabel)) throw invalid

  const isOwn = ownApexes.some((apex) => domain === apex || domain.endsWith(`.${apex}`))
  if (isOwn) throw invalid
  return domain
}
