import type { SamlProvider } from './sso-connection.entity.ts'
import { attributesOf, valuesOf, type Attribute, type SsoPerson } from './sso-person.ts'

/** What we are for the identity provider of one connection. */
export interface SamlAddresses {
  /** Our entity id, which is also where our metadata is: another one for each connection, so that none passes for another's. */
  readonly entityId: string
  readonly acsUrl: string
}

/** Why an answer was not taken, for the audit and for whoever sets the connection up; visitors learn that it was not. */
export class SamlRefusal extends Error {
  override readonly name = 'SamlRefusal'
}

/** Clocks differ; a minute is enough for those that are kept right. */
export const clockSkewMs = 60_000

/** An element as node-saml hands it over: attributes in `$`, text in `_`, children by name without prefix. */
interface Node {
  readonly $?: Readonly<Record<string, string>>
  readonly _?: string
  readonly [child: string]: unknown
}

const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'
const emailFormat = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
const subjectCharactersMax = 500

const emailNames = [
  'email',
  'mail',
  'emailaddress',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'urn:oid:0.9.2342.19200300.100.1.3',
]
const displayNames = [
  'displayname',
  'name',
  'http://schemas.microsoft.com/identity/claims/displayname',
  'urn:oid:2.16.840.1.113730.3.1.241',
]

/** Reads an assertion whose signature is good: it must be for us, for this request and for now. Throws SamlRefusal. */
export function readAssertion(
  assertion: unknown,
  options: {
    provider: SamlProvider
    addresses: SamlAddresses
    requestId: string
    roleAttribute: string | null
    now: Date
  },
): { person: SsoPerson; assertionId: string; expiresAt: Date } {
  const node = assertion as Node
  const { provider, addresses, requestId, roleAttribute } = options
  const clock = clockOf(options.now)

  if (only(node, 'Issuer')._?.trim() !== provider.issuer) {
    throw new SamlRefusal('the assertion is of another issuer')
  }
  const assertionId = node.$?.['ID'] ?? ''
  if (assertionId === '') throw new SamlRefusal('the assertion has no id')

  const subject = only(node, 'Subject')
  const confirmed = confirmationOf(subject, addresses, requestId, clock)
  checkConditions(only(node, 'Conditions'), addresses, clock)
  const [statement] = children(node, 'AuthnStatement')
  if (!statement) throw new SamlRefusal('the assertion does not say that somebody signed in')
  const sessionEndsAt = instantOf(statement.$?.['SessionNotOnOrAfter'])
  if (sessionEndsAt && !clock.isBefore(sessionEndsAt)) {
    throw new SamlRefusal('the session at the identity provider has ended')
  }

  const nameId = only(subject, 'NameID')
  const format = nameId.$?.['Format'] ?? null
  const name = nameId._?.trim() ?? ''
  if (name === '' || name.length > subjectCharactersMax) {
    throw new SamlRefusal('the subject has no NameID')
  }
  if (format === transient) {
    throw new SamlRefusal('the NameID is transient: choose a persistent one, or the email')
  }
  const attributes = attributesIn(node)
  return {
    person: {
      issuer: provider.issuer,
      subject: name,
      email:
        firstOf(attributes, emailNames) ??
        (format === emailFormat || name.includes('@') ? name : null),
      isEmailDenied: false,
      name: firstOf(attributes, displayNames),
      roleValues: attributes.find((one) => one.name === roleAttribute)?.values ?? [],
      attributes: attributesOf(attributes),
      session: {
        kind: 'SAML',
        nameId: name,
        nameIdFormat: format,
        sessionIndex: statement.$?.['SessionIndex'] ?? null,
      },
      sessionEndsAt,
    },
    assertionId,
    expiresAt: new Date(confirmed.getTime() + clockSkewMs),
  }
}

/** One bearer confirmation must fit as a whole (SAML 2.0 profiles §4.1.4.2). Answers until when. */
function confirmationOf(
  subject: Node,
  { acsUrl }: SamlAddresses,
  requestId: string,
  clock: Clock,
): Date {
  for (const confirmation of children(subject, 'SubjectConfirmation')) {
    const [data] = children(confirmation, 'SubjectConfirmationData')
    const until = instantOf(data?.$?.['NotOnOrAfter'])
    if (confirmation.$?.['Method'] !== bearer || !data || !until) continue
    const from = instantOf(data.$?.['NotBefore'])
    const fits =
      data.$?.['Recipient'] === acsUrl &&
      data.$?.['InResponseTo'] === requestId &&
      clock.isBefore(until) &&
      (!from || clock.isSince(from))
    if (fits) return until
  }
  throw new SamlRefusal('no subject confirmation is for this address, this request and this moment')
}

function checkConditions(conditions: Node, { entityId }: SamlAddresses, clock: Clock): void {
  const from = instantOf(conditions.$?.['NotBefore'])
  const until = instantOf(conditions.$?.['NotOnOrAfter'])
  if (from && !clock.isSince(from)) throw new SamlRefusal('the assertion is not valid yet')
  if (until && !clock.isBefore(until)) throw new SamlRefusal('the assertion has expired')
  const restrictions = children(conditions, 'AudienceRestriction')
  const isForUs = restrictions.every((restriction) =>
    children(restriction, 'Audience').some((audience) => audience._?.trim() === entityId),
  )
  if (restrictions.length === 0 || !isForUs) {
    throw new SamlRefusal(`the audience of the assertion is not ${entityId}`)
  }
}

interface Clock {
  isBefore(until: Date): boolean
  isSince(from: Date): boolean
}

function clockOf(now: Date): Clock {
  return {
    isBefore: (until) => now.getTime() - clockSkewMs < until.getTime(),
    isSince: (from) => now.getTime() + clockSkewMs >= from.getTime(),
  }
}

function instantOf(text: string | undefined): Date | null {
  if (text === undefined) return null
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new SamlRefusal('a time in the assertion cannot be read')
  return date
}

function attributesIn(assertion: Node): Attribute[] {
  return children(assertion, 'AttributeStatement')
    .flatMap((statement) => children(statement, 'Attribute'))
    .map((attribute) => ({
      name: attribute.$?.['Name'] ?? '',
      values: valuesOf(children(attribute, 'AttributeValue').map((value) => value._?.trim())),
    }))
}

function firstOf(attributes: readonly Attribute[], names: readonly string[]): string | null {
  for (const wanted of names) {
    const found = attributes.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
    if (found?.values[0]) return found.values[0]
  }
  return null
}

function only(parent: Node, name: string): Node {
  const [first, second] = children(parent, name)
  if (!first || second) throw new SamlRefusal(`the assertion has not one ${name}`)
  return first
}

function children(parent: Node, name: string): Node[] {
  const found = parent[name]
  return Array.isArray(found) ? found.map((one: unknown) => nodeOf(one)) : []
}

/** An element without attributes may come as its text. */
function nodeOf(value: unknown): Node {
  return typeof value === 'object' && value !== null
    ? (value as Node)
    : { _: typeof value === 'string' ? value : '' }
}
