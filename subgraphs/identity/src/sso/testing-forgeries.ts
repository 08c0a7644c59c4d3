import { parseSamlMetadata } from './saml-metadata.ts'
import { checkSamlAnswer } from './saml.ts'
import { newCertifiedKey } from './self-signed-certificate.ts'
import { createSamlProvider, type ResponseOptions } from './testing-saml.ts'

/* An answer to one request, checked by the connection that asked, and what attackers make of it. */

export const connectionId = '2f6f1c86-5f0c-4b3a-9d5c-1b1d3b1c7a10'
export const addresses = {
  entityId: `https://console.example.test/auth/saml/metadata/${connectionId}`,
  acsUrl: 'https://console.example.test/auth/saml/acs',
}
export const requestId = '_the-request'
export const asked = { requestId, ...addresses }
export const [provider, other] = [await createSamlProvider(), await createSamlProvider()]
export const stranger = await newCertifiedKey('stranger', 1)
/** Our own keys: the first one signs, the second one has been made known already. */
export const ourKeys = [await newCertifiedKey('sp', 1), await newCertifiedKey('sp', 1)] as const

export function check(text: string, changed: { at?: number; keys?: readonly string[] } = {}) {
  return checkSamlAnswer(text, {
    connectionId,
    provider: parseSamlMetadata(provider.metadata),
    addresses,
    requestId,
    roleAttribute: 'groups',
    privateKeys: changed.keys ?? ourKeys.map(({ privateKey }) => privateKey),
    now: new Date(Date.now() + (changed.at ?? 0)),
  })
}

export const confirmation = 'no subject confirmation'

/** What makes an answer a bad one, and what is said of it. */
export const badAnswers: readonly [string, string, Partial<ResponseOptions>][] = [
  ['unsigned', 'Invalid signature', { signed: 'nothing' }],
  ['signed around the assertion only', 'Invalid signature', { signed: 'response' }],
  ['signed with another key', 'Invalid signature', { keys: stranger }],
  [
    'signed with SHA-1',
    'SHA-1',
    { signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' },
  ],
  ['for another audience', 'audience', { audience: `${addresses.entityId}0` }],
  ['for another recipient', confirmation, { recipient: 'https://evil.example.test/acs' }],
  ['for another destination', 'its destination', { destination: 'https://evil.example.test/acs' }],
  ['of another issuer', 'its issuer', { issuer: 'https://evil.example.test/idp' }],
  ['to another request', 'InResponseTo', { inResponseTo: '_another-request' }],
  ['to no request', 'InResponseTo', { inResponseTo: '' }],
  ['expired', 'confirmation', { from: -10, until: -2 }],
  ['not valid yet', 'not yet valid', { from: 3, until: 10 }],
  ['issued long ago', 'confirmation', { from: -60, until: 60 }],
  ['without a subject', 'no NameID', { subject: '' }],
]

/*
 * Signature wrapping (Somorovsky et al., “On Breaking SAML”): what is signed stays in the document, so that the signature
 * is good, and what is read is something else.
 */
export const evil = 'mallory-at-the-provider'
export const signature = /<ds:Signature [\s\S]*<\/ds:Signature>/

/** A good response, its signed assertion, that assertion without its signature, and one that an attacker would like. */
function parts() {
  const response = provider.respond({ ...asked, assertionId: '_signed' })
  const assertion = /<saml:Assertion [\s\S]*<\/saml:Assertion>/.exec(response)?.[0] ?? ''
  const [signed = ''] = signature.exec(assertion) ?? []
  const bare = assertion.replace(signature, '')
  const forged = bare.replace('ada-at-the-provider', evil).replace('ID="_signed"', 'ID="_forged"')
  return { response, assertion, signed, bare, forged }
}

export const wrappings: Record<string, () => string> = {
  'the forged assertion before the signed one': () => {
    const { response, assertion, forged } = parts()
    return response.replace(assertion, forged + assertion)
  },
  'the forged assertion after the signed one': () => {
    const { response, assertion, forged } = parts()
    return response.replace(assertion, assertion + forged)
  },
  'the signed assertion inside the forged one': () => {
    const { response, assertion, forged } = parts()
    return response.replace(
      assertion,
      forged.replace('</saml:Assertion>', `${assertion}</saml:Assertion>`),
    )
  },
  'the signed assertion inside the signature of the forged one': () => {
    const { response, assertion, signed, bare, forged } = parts()
    const object = `<ds:Object>${bare}</ds:Object></ds:Signature>`
    const wrapped = signed.replace('</ds:Signature>', object)
    return response.replace(assertion, forged.replace('</saml:Issuer>', `</saml:Issuer>${wrapped}`))
  },
  'the signature of one on the other, ids and all': () => {
    const { response, assertion, signed, forged } = parts()
    const same = forged.replace('ID="_forged"', 'ID="_signed"')
    const wearing = same.replace('</saml:Issuer>', `</saml:Issuer>${signed}`)
    return response.replace(assertion, wearing)
  },
  'two assertions of one id': () => {
    const { response, assertion, forged } = parts()
    const same = forged.replace('ID="_forged"', 'ID="_signed"')
    return response.replace(assertion, same + assertion)
  },
  'the signed response inside a forged one': () => {
    const { response, assertion, forged } = parts()
    const extensions = `<samlp:Extensions>${response}</samlp:Extensions>`
    return response
      .replace(assertion, forged)
      .replace('<samlp:Status>', `${extensions}<samlp:Status>`)
  },
  'another NameID in the signed assertion': () => {
    const { response } = parts()
    return response.replace('ada-at-the-provider', evil)
  },
}
