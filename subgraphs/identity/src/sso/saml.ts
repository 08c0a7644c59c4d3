import { createHash } from 'node:crypto'

import { SAML, ValidateInResponseTo, type CacheProvider, type Profile } from '@node-saml/node-saml'
import { DOMParser } from '@xmldom/xmldom'

import { clockSkewMs, readAssertion, SamlRefusal, type SamlAddresses } from './saml-assertion.ts'
import type { SamlProvider } from './sso-connection.entity.ts'
import type { SsoPerson } from './sso-person.ts'

/** An assertion is brought at once: one that lay around is not taken. */
const assertionAgeMaxMs = 5 * 60_000
export const answerBytesMax = 192 * 1024

const protocolSpace = 'urn:oasis:names:tc:SAML:2.0:protocol'
const assertionSpace = 'urn:oasis:names:tc:SAML:2.0:assertion'
const signatureSpace = 'http://www.w3.org/2000/09/xmldsig#'
const success = 'urn:oasis:names:tc:SAML:2.0:status:Success'

/** Where to send the browser: an AuthnRequest with this id, and the state as RelayState. */
export function samlSignInUrl(
  provider: SamlProvider,
  addresses: SamlAddresses,
  { requestId, state }: { requestId: string; state: string },
): Promise<string> {
  return samlOf(provider, addresses, requestId).getAuthorizeUrlAsync(state, undefined, {})
}

/** Where to sign out at the identity provider; null when its metadata names no place. */
export async function samlSignOutUrl(
  provider: SamlProvider,
  addresses: SamlAddresses,
  session: { nameId: string; nameIdFormat: string | null; sessionIndex: string | null },
): Promise<string | null> {
  if (provider.signOutUrl === null) return null
  const requestId = `_${crypto.randomUUID()}`
  const person = {
    issuer: provider.issuer,
    nameID: session.nameId,
    nameIDFormat: session.nameIdFormat ?? '',
    ...(session.sessionIndex === null ? {} : { sessionIndex: session.sessionIndex }),
  } as Profile
  return samlOf(provider, addresses, requestId).getLogoutUrlAsync(person, '', {})
}

/** Our own metadata, to be given to the identity provider. */
export function samlMetadata({ entityId, acsUrl }: SamlAddresses): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${escapeXml(entityId)}">
  <SPSSODescriptor protocolSupportEnumeration="${protocolSpace}" AuthnRequestsSigned="false" WantAssertionsSigned="true">
    <NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>
    <NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>
    <AssertionConsumerService index="1" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${escapeXml(acsUrl)}"/>
  </SPSSODescriptor>
</EntityDescriptor>
`
}

export interface SamlAnswer {
  readonly person: SsoPerson
  /** Of connection and assertion: one that was taken is not taken again. */
  readonly replayHash: string
  /** From then on the assertion is void by itself. */
  readonly expiresAt: Date
}

/**
 * Reads the answer to one AuthnRequest out of a `SAMLResponse`. Only what a certificate of the identity provider has
 * signed is read, and it must be for us, for this request and for now. Throws SamlRefusal.
 */
export async function checkSamlAnswer(
  text: string,
  options: {
    connectionId: string
    provider: SamlProvider
    addresses: SamlAddresses
    requestId: string
    roleAttribute: string | null
    now: Date
  },
): Promise<SamlAnswer> {
  const { provider, addresses, requestId } = options
  const xml = decode(text)
  assertAddressedToUs(xml, provider, addresses)

  let profile: Profile | null
  try {
    const checked = await samlOf(provider, addresses, requestId).validatePostResponseAsync({
      SAMLResponse: Buffer.from(xml).toString('base64'),
    })
    profile = checked.profile
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it could not be read'
    throw new SamlRefusal(reason, { cause: error })
  }
  const assertion: unknown = profile?.getAssertion?.()?.['Assertion']
  if (assertion === undefined) throw new SamlRefusal('it holds no assertion')
  const read = readAssertion(assertion, options)
  const hash = createHash('sha256').update(`${options.connectionId} ${read.assertionId}`)
  return { person: read.person, replayHash: hash.digest('hex'), expiresAt: read.expiresAt }
}

function samlOf(provider: SamlProvider, addresses: SamlAddresses, requestId: string): SAML {
  return new SAML({
    callbackUrl: addresses.acsUrl,
    entryPoint: provider.signInUrl,
    logoutUrl: provider.signOutUrl ?? '',
    issuer: addresses.entityId,
    audience: addresses.entityId,
    idpIssuer: provider.issuer,
    idpCert: [...provider.certificates],
    wantAssertionsSigned: true,
    // What lies around the assertion may be signed as well, but nothing is read from it.
    wantAuthnResponseSigned: false,
    validateInResponseTo: ValidateInResponseTo.always,
    cacheProvider: knowing(requestId),
    generateUniqueId: () => requestId,
    acceptedClockSkewMs: clockSkewMs,
    maxAssertionAgeMs: assertionAgeMaxMs,
    identifierFormat: null,
    disableRequestedAuthnContext: true,
  })
}

/** The one request that was asked, and that is taken from the table before its answer is looked at. */
function knowing(requestId: string): CacheProvider {
  return {
    saveAsync: async () => null,
    getAsync: async (key) => (key === requestId ? new Date().toISOString() : null),
    removeAsync: async () => null,
  }
}

/** The XML inside. No provider writes a document type, a comment or a processing instruction: attackers do. */
function decode(text: string): string {
  if (text.length > (answerBytesMax / 3) * 4) {
    throw new SamlRefusal(`it is larger than ${answerBytesMax} bytes`)
  }
  const xml = Buffer.from(text, 'base64')
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trim()
  if (/<!|<\?(?!xml )/i.test(xml)) {
    throw new SamlRefusal('it has a document type, a comment or an instruction')
  }
  return xml
}

/** What the envelope says is not signed. It cannot let anybody in, but it can tell that the answer is none for us. */
function assertAddressedToUs(
  xml: string,
  { issuer }: SamlProvider,
  { acsUrl }: SamlAddresses,
): void {
  const root = parse(xml)
  if (root.namespaceURI !== protocolSpace || root.localName !== 'Response') {
    throw new SamlRefusal('it is not a SAML 2.0 response')
  }
  for (const name of ['SignatureMethod', 'DigestMethod']) {
    const methods = Array.from(root.getElementsByTagNameNS(signatureSpace, name))
    if (methods.some((method) => method.getAttribute('Algorithm')?.endsWith('sha1'))) {
      throw new SamlRefusal('it is signed with SHA-1, which can be forged')
    }
  }
  const destination = root.getAttribute('Destination')
  if (destination && destination !== acsUrl) {
    throw new SamlRefusal(`its destination is ${destination}, not ${acsUrl}`)
  }
  const from = textOf(childOf(root, assertionSpace, 'Issuer'))
  if (from !== null && from !== issuer) throw new SamlRefusal(`its issuer is ${from}`)
  const status = childOf(root, protocolSpace, 'Status')
  const code = status && childOf(status, protocolSpace, 'StatusCode')
  if (code?.getAttribute('Value') !== success) {
    const message = textOf(status && childOf(status, protocolSpace, 'StatusMessage'))
    throw new SamlRefusal(`the identity provider refused: ${message ?? 'it does not say why'}`)
  }
}

function parse(xml: string): Element {
  const fail = (problem: string) => {
    throw new SamlRefusal(`it is not XML: ${problem.slice(0, 100)}`)
  }
  const handler = { warning: fail, error: fail, fatalError: fail }
  try {
    const root = new DOMParser({ errorHandler: handler }).parseFromString(xml, 'text/xml')
    if (root?.documentElement) return root.documentElement
  } catch (error) {
    if (error instanceof SamlRefusal) throw error
    throw new SamlRefusal('it is not XML', { cause: error })
  }
  throw new SamlRefusal('it is empty')
}

function childOf(parent: Element, space: string, name: string): Element | null {
  const found = Array.from(parent.childNodes).find(
    (node): node is Element =>
      node.nodeType === 1 &&
      (node as Element).namespaceURI === space &&
      (node as Element).localName === name,
  )
  return found ?? null
}

function textOf(element: Element | null): string | null {
  return element?.textContent?.trim() ?? null
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
