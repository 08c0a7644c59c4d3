import {
  constants,
  createCipheriv,
  publicEncrypt,
  randomBytes,
  type CipherGCMTypes,
} from 'node:crypto'

import { SignedXml } from 'xml-crypto'

import { space } from './saml-xml.ts'
import { newCertifiedKey, type CertifiedKey } from './self-signed-certificate.ts'

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
  readonly keys?: CertifiedKey
  readonly signatureAlgorithm?: string
  /** The assertion is encrypted, after it was signed. */
  readonly encrypted?: Encryption
}

export interface Encryption {
  /** Whoever has the key of it can read the assertion, as PEM. */
  readonly certificate: string
  readonly content?: string
  readonly transport?: string
  readonly digest?: string
}

/** A SAML identity provider that says whatever a test wants, and signs it with a real key. */
export async function createSamlProvider() {
  const keys = await newCertifiedKey('idp', 1)
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
    const element = signed === 'response' ? 'Response' : 'Assertion'
    const made =
      signed === 'nothing'
        ? response
        : signElement(response, element, options.keys ?? keys, options.signatureAlgorithm)
    return options.encrypted ? encryptAssertions(made, options.encrypted) : made
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
  { privateKey, certificate }: CertifiedKey,
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

/** Puts everything from the first assertion of a response to the end of its last into one `EncryptedAssertion`. */
export function encryptAssertions(xml: string, how: Encryption): string {
  return xml.replace(/<saml:Assertion [\s\S]*<\/saml:Assertion>/, (plain) => encrypt(plain, how))
}

export function encrypt(
  plain: string,
  {
    certificate,
    content = `${space.encryption11}aes256-gcm`,
    transport = `${space.encryption}rsa-oaep-mgf1p`,
    digest = `${space.signature}sha1`,
  }: Encryption,
): string {
  const [, bits = '256', mode = 'gcm'] = /aes(\d+)-(\w+)$/.exec(content) ?? []
  const key = randomBytes(Number(bits) / 8)
  const nonce = randomBytes(mode === 'gcm' ? 12 : 16)
  // Node pads as PKCS 7 does, of which XML Encryption looks at the last byte.
  const cipher = createCipheriv(`aes-${bits}-${mode}` as CipherGCMTypes, key, nonce)
  const text = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final()])
  const sealed = mode === 'gcm' ? Buffer.concat([text, cipher.getAuthTag()]) : text
  const oaepHash = digest.endsWith('sha256') ? 'sha256' : 'sha1'
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const wrapped = publicEncrypt({ key: certificate, padding, oaepHash }, key)
  const mask =
    oaepHash === 'sha256'
      ? `<xenc11:MGF xmlns:xenc11="${space.encryption11}" Algorithm="${space.encryption11}mgf1sha256"/>`
      : ''
  const value = (bytes: Buffer) =>
    `<xenc:CipherData><xenc:CipherValue>${bytes.toString('base64')}</xenc:CipherValue></xenc:CipherData>`
  return `<saml:EncryptedAssertion xmlns:saml="${space.assertion}"><xenc:EncryptedData xmlns:xenc="${space.encryption}" Type="${space.encryption}Element"><xenc:EncryptionMethod Algorithm="${content}"/><ds:KeyInfo xmlns:ds="${space.signature}"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="${transport}"><ds:DigestMethod Algorithm="${digest}"/>${mask}</xenc:EncryptionMethod>${value(wrapped)}</xenc:EncryptedKey></ds:KeyInfo>${value(sealed)}</xenc:EncryptedData></saml:EncryptedAssertion>`
}
