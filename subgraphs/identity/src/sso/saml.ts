import { createHash } from 'node:crypto'

import { SAML, ValidateInResponseTo, type CacheProvider, type Profile } from '@node-saml/node-saml'

import { clockSkewMs, readAssertion, SamlRefusal, type SamlAddresses } from './saml-assertion.ts'
import { contentCiphers, decryptAssertion, keyTransports } from './saml-decryption.ts'
import { childOf, childrenOf, escapeXml, parseXml, space } from './saml-xml.ts'
import type { SamlProvider } from './sso-connection.entity.ts'
import type { SsoPerson } from './sso-person.ts'

/** An assertion is brought at once: one that lay around is not taken. */
const assertionAgeMaxMs = 5 * 60_000
export const answerBytesMax = 192 * 1024

const success = 'urn:oasis:names:tc:SAML:2.0:status:Success'

/** One text for all that can go wrong with an encrypted assertion before it is known to be the provider's: no oracle. */
const unreadable =
  'what it has encrypted is not for a key of ours, or is no assertion that the identity provider has signed'

/** What node-saml says of an assertion once its signature is good, or of the envelope: admins need to know it. */
const saidOfSigned = /InResponseTo|audience|subject ?confirmation|not yet valid|expired/i

/**
 * Where to send the browser: an AuthnRequest with this id, and the state as RelayState. With a key the address is signed (SAML
 * bindings §3.4.4.1).
 */
export function samlSignInUrl(
  provider: SamlProvider,
  addresses: SamlAddresses,
  request: { requestId: string; state: string; signingKey: string | null },
): Promise<string> {
  const { requestId, state, signingKey } = request
  return samlOf(provider, addresses, requestId, signingKey).getAuthorizeUrlAsync(
    state,
    undefined,
    {},
  )
}

/** Where to sign out at the identity provider, signed with a key if there is one; null when its metadata names no place. */
export async function samlSignOutUrl(
  provider: SamlProvider,
  addresses: SamlAddresses,
  session: { nameId: string; nameIdFormat: string | null; sessionIndex: string | null },
  signingKey: string | null,
): Promise<string | null> {
  if (provider.signOutUrl === null) return null
  const requestId = `_${crypto.randomUUID()}`
  const person = {
    issuer: provider.issuer,
    nameID: session.nameId,
    nameIDFormat: session.nameIdFormat ?? '',
    ...(session.sessionIndex === null ? {} : { sessionIndex: session.sessionIndex }),
  } as Profile
  return samlOf(provider, addresses, requestId, signingKey).getLogoutUrlAsync(person, '', {})
}

/** Our own metadata, to be given to the identity provider: with the certificates of our keys, whose first one signs. */
export function samlMetadata(
  { entityId, acsUrl }: SamlAddresses,
  keys: { certificates: readonly string[]; signsRequests: boolean } = noKeys,
): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="${space.metadata}" entityID="${escapeXml(entityId)}">
  <SPSSODescriptor protocolSupportEnumeration="${space.protocol}" AuthnRequestsSigned="${keys.signsRequests}" WantAssertionsSigned="true">
${keys.certificates.map((one) => keyDescriptor('signing', one)).join('')}${keys.certificates.map((one) => keyDescriptor('encryption', one)).join('')}    <NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>
    <NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>
    <AssertionConsumerService index="1" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${escapeXml(acsUrl)}"/>
  </SPSSODescriptor>
</EntityDescriptor>
`
}
const noKeys = { certificates: [], signsRequests: false }

function keyDescriptor(use: 'signing' | 'encryption', pem: string): string {
  const certificate = pem.replaceAll(/-----[^-]+-----|\s/g, '')
  const methods = use === 'signing' ? [] : [...Object.keys(contentCiphers), ...keyTransports]
  const offered = methods.map((one) => `<EncryptionMethod Algorithm="${one}"/>`).join('')
  return `    <KeyDescriptor use="${use}"><KeyInfo xmlns="${space.signature}"><X509Data><X509Certificate>${certificate}</X509Certificate></X509Data></KeyInfo>${offered}</KeyDescriptor>
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
    /** Those that an assertion may be encrypted for, as PEM. */
    privateKeys: readonly string[]
    now: Date
  },
): Promise<SamlAnswer> {
  const { provider, addresses, requestId, privateKeys } = options
  const received = decode(text)
  const root = parse(received)
  assertAddressedToUs(root, provider, addresses)
  const opened = openEncrypted(root, privateKeys)
  const xml = opened ?? received

  let profile: Profile | null
  try {
    const checked = await samlOf(provider, addresses, requestId, null).validatePostResponseAsync({
      SAMLResponse: Buffer.from(xml).toString('base64'),
    })
    profile = checked.profile
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it could not be read'
    if (opened !== null && !saidOfSigned.test(reason)) {
      throw new SamlRefusal(unreadable, { cause: error })
    }
    throw new SamlRefusal(reason, { cause: error })
  }
  const assertion: unknown = profile?.getAssertion?.()?.['Assertion']
  if (assertion === undefined) throw new SamlRefusal('it holds no assertion')
  const read = readAssertion(assertion, options)
  const hash = createHash('sha256').update(`${options.connectionId} ${read.assertionId}`)
  return { person: read.person, replayHash: hash.digest('hex'), expiresAt: read.expiresAt }
}

/**
 * The response with the assertion that it has encrypted in its place; null when it has none. A signature around it is gone
 * then, and missed by nobody: what is read is the assertion that is signed itself.
 */
function openEncrypted(root: Element, privateKeys: readonly string[]): string | null {
  const encrypted = childrenOf(root, space.assertion, 'EncryptedAssertion')
  const [only] = encrypted
  if (!only) return null
  if (encrypted.length > 1 || childOf(root, space.assertion, 'Assertion')) {
    throw new SamlRefusal('it holds several assertions')
  }
  if (privateKeys.length === 0) throw new SamlRefusal('it is encrypted, and we have no key')
  const assertion = decryptAssertion(only, privateKeys).replace(/^<\?xml [^>]*\?>/, '')
  const parsed = parseXml(assertion)
  const isAssertion =
    'root' in parsed &&
    parsed.root.namespaceURI === space.assertion &&
    parsed.root.localName === 'Assertion'
  if (!isAssertion || forbidden.test(assertion) || isSignedBySha1(parsed.root)) {
    throw new SamlRefusal(unreadable)
  }
  const inResponseTo = escapeXml(root.getAttribute('InResponseTo') ?? '')
  return `<samlp:Response xmlns:samlp="${space.protocol}" Version="2.0" InResponseTo="${inResponseTo}">${assertion}</samlp:Response>`
}

function samlOf(
  provider: SamlProvider,
  addresses: SamlAddresses,
  requestId: string,
  signingKey: string | null,
): SAML {
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
    signatureAlgorithm: 'sha256',
    ...(signingKey === null ? {} : { privateKey: signingKey }),
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

const forbidden = /<!|<\?(?!xml )/i

/** The XML inside. No provider writes a document type, a comment or a processing instruction: attackers do. */
function decode(text: string): string {
  if (text.length > (answerBytesMax / 3) * 4) {
    throw new SamlRefusal(`it is larger than ${answerBytesMax} bytes`)
  }
  const xml = Buffer.from(text, 'base64')
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trim()
  if (forbidden.test(xml)) {
    throw new SamlRefusal('it has a document type, a comment or an instruction')
  }
  return xml
}

/** What the envelope says is not signed. It cannot let anybody in, but it can tell that the answer is none for us. */
function assertAddressedToUs(
  root: Element,
  { issuer }: SamlProvider,
  { acsUrl }: SamlAddresses,
): void {
  if (root.namespaceURI !== space.protocol || root.localName !== 'Response') {
    throw new SamlRefusal('it is not a SAML 2.0 response')
  }
  if (isSignedBySha1(root)) throw new SamlRefusal('it is signed with SHA-1, which can be forged')
  const destination = root.getAttribute('Destination')
  if (destination && destination !== acsUrl) {
    throw new SamlRefusal(`its destination is ${destination}, not ${acsUrl}`)
  }
  const from = textOf(childOf(root, space.assertion, 'Issuer'))
  if (from !== null && from !== issuer) throw new SamlRefusal(`its issuer is ${from}`)
  const status = childOf(root, space.protocol, 'Status')
  const code = status && childOf(status, space.protocol, 'StatusCode')
  if (code?.getAttribute('Value') !== success) {
    const message = textOf(status && childOf(status, space.protocol, 'StatusMessage'))
    throw new SamlRefusal(`the identity provider refused: ${message ?? 'it does not say why'}`)
  }
}

/** Of signatures only: keys are encrypted with SHA-1 by most providers, which does no harm there. */
function isSignedBySha1(root: Element): boolean {
  return Array.from(root.getElementsByTagNameNS(space.signature, 'SignedInfo')).some((signed) =>
    ['SignatureMethod', 'DigestMethod'].some((name) =>
      Array.from(signed.getElementsByTagNameNS(space.signature, name)).some((method) =>
        method.getAttribute('Algorithm')?.endsWith('sha1'),
      ),
    ),
  )
}

function parse(xml: string): Element {
  const parsed = parseXml(xml)
  if ('root' in parsed) return parsed.root
  throw new SamlRefusal(`it is not XML: ${parsed.problem.slice(0, 100)}`)
}

function textOf(element: Element | null): string | null {
  return element?.textContent?.trim() ?? null
}
