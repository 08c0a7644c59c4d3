import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

import { SignedXml } from 'xml-crypto'

const dayMs = 24 * 3_600_000
const space = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
}

export interface TestKeys {
  /** PKCS 8 as PEM. */
  readonly privateKey: string
  /** Self-signed, as PEM. */
  readonly certificate: string
}

/** What a response says; what is left out is as it should be. */
export interface ResponseOptions {
  readonly requestId: string
  readonly entityId: string
  readonly acsUrl: string
  readonly subject?: string
  readonly email?: string | null
  readonly groups?: readonly string[]
  readonly issuer?: string
  readonly audience?: string
  readonly recipient?: string
  readonly destination?: string
  readonly inResponseTo?: string
  readonly assertionId?: string
  /** Minutes from now. */
  readonly from?: number
  readonly until?: number
  readonly signed?: 'assertion' | 'response' | 'nothing'
  readonly keys?: TestKeys
  readonly signatureAlgorithm?: string
}

/** A SAML identity provider that says whatever a test wants, and signs it with a real key. */
export function createSamlProvider() {
  const keys = newKeys()
  const issuer = `https://idp-${crypto.randomUUID()}.example.test/saml`
  const attribute = (name: string, ...values: string[]) =>
    `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`

  /** The XML of a response, signed where it says. */
  function respond(options: ResponseOptions): string {
    const {
      requestId,
      entityId,
      acsUrl,
      subject = 'ada-at-the-provider',
      email = 'ada@acme.example.test',
      groups = [],
      signed = 'assertion',
      assertionId = `_${crypto.randomUUID()}`,
      inResponseTo = requestId,
    } = options
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
    const from = at(options.from ?? -1)
    const until = at(options.until ?? 4)
    const attributes = [
      ...(email === null ? [] : [attribute('email', email)]),
      ...(groups.length === 0 ? [] : [attribute('groups', ...groups)]),
    ]
    const statement =
      attributes.length === 0
        ? ''
        : `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement>`
    const assertion = `<saml:Assertion xmlns:saml="${space.assertion}" ID="${assertionId}" Version="2.0" IssueInstant="${from}"><saml:Issuer>${options.issuer ?? issuer}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">${subject}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${until}" Recipient="${options.recipient ?? acsUrl}" InResponseTo="${inResponseTo}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${from}" NotOnOrAfter="${until}"><saml:AudienceRestriction><saml:Audience>${options.audience ?? entityId}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${from}" SessionIndex="session-1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>${statement}</saml:Assertion>`
    const response = `<samlp:Response xmlns:samlp="${space.protocol}" ID="_${crypto.randomUUID()}" Version="2.0" IssueInstant="${from}" Destination="${options.destination ?? acsUrl}" InResponseTo="${inResponseTo}"><saml:Issuer xmlns:saml="${space.assertion}">${options.issuer ?? issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${assertion}</samlp:Response>`
    if (signed === 'nothing') return response
    const element = signed === 'assertion' ? 'Assertion' : 'Response'
    return signElement(response, element, options.keys ?? keys, options.signatureAlgorithm)
  }

  return {
    issuer,
    keys,
    respond,
    /** As a browser brings it. */
    answer: (options: ResponseOptions) => encode(respond(options)),
    metadata: metadataOf(issuer, [keys.certificate]),
  }
}

export function encode(xml: string): string {
  return Buffer.from(xml).toString('base64')
}

export function metadataOf(issuer: string, certificates: readonly string[]): string {
  const keyOf = (pem: string) =>
    `<KeyDescriptor use="signing"><KeyInfo xmlns="${space.signature}"><X509Data><X509Certificate>${pem.replaceAll(/-----[^-]+-----|\s/g, '')}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`
  return `<?xml version="1.0"?>
<!-- Made for a test. -->
<EntityDescriptor xmlns="${space.metadata}" entityID="${issuer}"><IDPSSODescriptor protocolSupportEnumeration="${space.protocol}">${certificates.map(keyOf).join('')}<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.test/logout"/><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.test/sso"/></IDPSSODescriptor></EntityDescriptor>`
}

function signElement(
  xml: string,
  element: string,
  { privateKey, certificate }: TestKeys,
  algorithm = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
): string {
  const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
  const signature = new SignedXml({
    privateKey,
    publicCert: certificate,
    signatureAlgorithm: algorithm,
    canonicalizationAlgorithm: exclusive,
  })
  const xpath = `//*[local-name(.)='${element}']`
  signature.addReference({
    xpath,
    transforms: [`${space.signature}enveloped-signature`, exclusive],
    digestAlgorithm: algorithm.endsWith('rsa-sha1')
      ? `${space.signature}sha1`
      : 'http://www.w3.org/2001/04/xmlenc#sha256',
  })
  signature.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' },
  })
  return signature.getSignedXml()
}

/** An RSA key with a certificate that it has signed itself (RFC 5280 §4.1, in the little DER it needs). */
export function newKeys(): TestKeys {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const certificate = selfSigned(privateKey, publicKey).toString('base64')
  const lines = certificate.match(/.{1,64}/g) ?? []
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  }
}

const sequence = 0x30
const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex')

function selfSigned(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const name = der(
    sequence,
    der(0x31, der(sequence, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('idp')))),
  )
  const time = (ms: number) => {
    const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
    return der(0x18, Buffer.from(text))
  }
  const body = der(
    sequence,
    der(0xa0, Buffer.from('020102', 'hex')),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sha256WithRsa,
    name,
    der(sequence, time(Date.now() - dayMs), time(Date.now() + dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, privateKey)
  return der(sequence, body, sha256WithRsa, der(0x03, Buffer.from([0]), signature))
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
