import { randomInt } from 'node:crypto'

import { SluiceError } from '@sluice/schema/errors'

/** Names that the platform needs, or that a visitor would take for the platform's. */
const reservedNames: ReadonlySet<string> = new Set(
  `abuse account accounts admin administrator api assets auth autoconfig autodiscover billing cdn
   console dashboard dns docs edge email ftp gateway graphiql graphql help hostmaster imap internal
   invoice localhost login logout mail metrics mx noc ns ns1 ns2 oauth official pay payment payments
   pop postmaster register relay relays root security signin signup sluice smtp sso static status
   support system tunnel tunnels usenet webmail webmaster wpad www www1 www2`.split(/\s+/),
)

/** Hosts at which agents dial relays one by one. */
const edgeForm = /^edge-\d+$/

const nameForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** A name in lower case. Throws for what cannot be the first label of a host, or is kept for the platform. */
export function parseTunnelName(text: string): string {
  const name = text.toLowerCase()
  if (!nameForm.test(name)) {
    throw new SluiceError('SLUICE_TUNNEL_NAME_INVALID', { name: text.slice(0, 80) })
  }
  // `xn--` would let a name look like another one.
  if (reservedNames.has(name) || name.startsWith('xn--') || edgeForm.test(name)) {
    throw new SluiceError('SLUICE_TUNNEL_NAME_RESERVED', { name })
  }
  return name
}

/** Such as `quiet-otter-4821`: 40 × 40 × 9000 names, so that a collision is rare and a second try enough. */
export function randomTunnelName(): string {
  return `${pick(adjectives)}-${pick(nouns)}-${randomInt(1000, 10_000)}`
}

const adjectives =
  `amber brave bright calm clear clever cool cosy crisp eager early fair fast fresh gentle glad golden grand
   green happy jolly keen kind lively lucky mellow merry neat nimble proud quick quiet rapid sharp silver
   smart snowy steady sunny swift`.split(/\s+/)

const nouns =
  `badger beacon birch brook canyon cedar cliff comet coral crane delta falcon fjord forest garden glacier
   harbor heron island lagoon lake maple meadow otter pebble pine prairie puffin raven reef ridge river
   robin spruce stream summit thicket tundra valley willow`.split(/\s+/)

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? ''
}
