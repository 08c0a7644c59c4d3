import { expect, test } from 'vitest'

import { SamlRefusal } from './saml-assertion.ts'
import { parseSamlMetadata } from './saml-metadata.ts'
import { checkSamlAnswer, answerBytesMax, samlMetadata, samlSignInUrl } from './saml.ts'
import {
  createSamlProvider,
  encode,
  metadataOf,
  newKeys,
  type ResponseOptions,
} from './testing-saml.ts'

const connectionId = '2f6f1c86-5f0c-4b3a-9d5c-1b1d3b1c7a10'
const addresses = {
  entityId: `https://console.example.test/auth/saml/metadata/${connectionId}`,
  acsUrl: 'https://console.example.test/auth/saml/acs',
}
const requestId = '_the-request'
const asked = { requestId, ...addresses }
const provider = createSamlProvider()
const other = createSamlProvider()

function check(text: string, changed: { at?: number } = {}) {
  return checkSamlAnswer(text, {
    connectionId,
    provider: parseSamlMetadata(provider.metadata),
    addresses,
    requestId,
    roleAttribute: 'groups',
    now: new Date(Date.now() + (changed.at ?? 0)),
  })
}

test('an answer to the request says who somebody is', async () => {
  const { person } = await check(provider.answer({ ...asked, groups: ['staff', 'admins'] }))

  expect(person).toMatchObject({
    issuer: provider.issuer,
    subject: 'ada-at-the-provider',
    email: 'ada@acme.example.test',
    roleValues: ['staff', 'admins'],
    session: { kind: 'SAML', sessionIndex: 'session-1' },
  })
})

const confirmation = 'no subject confirmation'

test.for<[string, string, Partial<ResponseOptions>]>([
  ['unsigned', 'Invalid signature', { signed: 'nothing' }],
  ['signed around the assertion only', 'Invalid signature', { signed: 'response' }],
  ['signed with another key', 'Invalid signature', { keys: newKeys() }],
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
])('an answer that is %s lets nobody in', async ([, reason, changed]) => {
  await expect(check(provider.answer({ ...asked, ...changed }))).rejects.toThrow(reason)
})

test('the answer of another organization’s provider lets nobody in', async () => {
  await expect(check(other.answer({ ...asked, issuer: provider.issuer }))).rejects.toThrow(
    'signature',
  )
  await expect(check(other.answer(asked))).rejects.toThrow('its issuer')
})

test('clocks may differ by a minute, and no more', async () => {
  const answer = () => provider.answer({ ...asked, until: 2 })

  await expect(check(answer(), { at: 2 * 60_000 + 50_000 })).resolves.toBeDefined()
  await expect(check(answer(), { at: 3 * 60_000 + 5_000 })).rejects.toThrow(confirmation)
})

/*
 * Signature wrapping (Somorovsky et al., “On Breaking SAML”): what is signed stays in the document, so that the signature
 * is good, and what is read is something else.
 */
const evil = 'mallory-at-the-provider'
const signature = /<ds:Signature [\s\S]*<\/ds:Signature>/

/** A good response, its signed assertion, that assertion without its signature, and one that an attacker would like. */
function parts() {
  const response = provider.respond({ ...asked, assertionId: '_signed' })
  const assertion = /<saml:Assertion [\s\S]*<\/saml:Assertion>/.exec(response)?.[0] ?? ''
  const [signed = ''] = signature.exec(assertion) ?? []
  const bare = assertion.replace(signature, '')
  const forged = bare.replace('ada-at-the-provider', evil).replace('ID="_signed"', 'ID="_forged"')
  return { response, assertion, signed, bare, forged }
}

const wrappings: Record<string, () => string> = {
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

test.for(Object.entries(wrappings))('wrapping: %s lets nobody in', async ([, make]) => {
  const xml = make()
  expect(xml).toContain(evil)
  expect(xml).toMatch(signature)

  await expect(check(encode(xml))).rejects.toThrow(SamlRefusal)
})

test('a comment cannot cut a name short', async () => {
  const subject = 'admin@acme.example.test<!---->.evil.example.test'
  await expect(check(provider.answer({ ...asked, subject }))).rejects.toThrow('a comment')

  // Nor one that is added to a name which is signed: the signature does not see comments.
  const signed = provider.respond({
    ...asked,
    subject: 'admin@acme.example.test.evil.example.test',
  })
  const cut = signed.replace('.test.evil', '.test<!-- -->.evil')
  await expect(check(encode(cut))).rejects.toThrow('a comment')
})

test('documents with a type, entities or instructions are refused', async () => {
  const response = provider.respond(asked)
  const entity = `<!DOCTYPE r [<!ENTITY a "${'a'.repeat(1_000)}">]>`

  for (const prefix of ['<!DOCTYPE r>', entity, '<?xml-stylesheet href="x"?>']) {
    await expect(check(encode(prefix + response))).rejects.toThrow('document type')
  }
})

test.for(['', 'not base64 §§', encode('not xml'), encode('<a/>'), encode('<a>'.repeat(10_000))])(
  'rubbish is refused',
  async (text) => {
    await expect(check(text)).rejects.toThrow(SamlRefusal)
  },
)

test('an answer that is too large is not even parsed', async () => {
  const text = encode('<'.repeat(answerBytesMax + 1))
  await expect(check(text)).rejects.toThrow('larger than')
})

test('the same assertion has the same hash, for one connection', async () => {
  const answer = provider.answer(asked)
  const [first, second] = [await check(answer), await check(answer)]

  expect(first.replayHash).toBe(second.replayHash)
})

test('metadata is read, and what is not metadata is refused', () => {
  const read = parseSamlMetadata(provider.metadata)
  expect(read).toEqual({
    issuer: provider.issuer,
    signInUrl: 'https://idp.example.test/sso',
    signOutUrl: 'https://idp.example.test/logout',
    certificates: [provider.keys.certificate],
  })

  const one = provider.metadata.replace(/^[\s\S]*?<EntityDescriptor/, '<EntityDescriptor')
  const space = 'urn:oasis:names:tc:SAML:2.0:metadata'
  const refused = [
    '',
    'hello',
    '<html></html>',
    metadataOf(provider.issuer, []),
    metadataOf('', [provider.keys.certificate]),
    provider.metadata.replace('https://idp.example.test/sso', 'javascript:alert(1)'),
    provider.metadata.replace(
      'HTTP-Redirect" Location="https://idp.example.test/sso',
      'HTTP-POST" Location="https://idp.example.test/sso',
    ),
    provider.metadata.replace(/<X509Certificate>.{20}/, '<X509Certificate>'),
    `<!DOCTYPE a [<!ENTITY x "y">]>${one}`,
    `<EntitiesDescriptor xmlns="${space}">${one}${one}</EntitiesDescriptor>`,
    ' '.repeat(600_000),
  ]
  for (const text of refused) {
    expect(() => parseSamlMetadata(text)).toThrow(
      expect.objectContaining({ code: 'SLUICE_SSO_METADATA_INVALID' }),
    )
  }
})

test('an identity provider library reads our metadata and our request, and we read its answer', async () => {
  const { IdentityProvider, ServiceProvider, Constants, setSchemaValidator, SamlLib } =
    await import('samlify')
  setSchemaValidator({ validate: async () => 'well-formed is enough' })
  const keys = newKeys()
  const idp = IdentityProvider({
    entityID: 'https://samlify.example.test/metadata',
    signingCert: keys.certificate,
    privateKey: keys.privateKey,
    isAssertionEncrypted: false,
    nameIDFormat: [Constants.namespace.format.persistent],
    singleSignOnService: [
      {
        Binding: Constants.namespace.binding.redirect,
        Location: 'https://samlify.example.test/sso',
      },
    ],
    loginResponseTemplate: {
      context: SamlLib.defaultLoginResponseTemplate.context.replace(
        '{AuthnStatement}',
        '<saml:AuthnStatement AuthnInstant="{IssueInstant}" SessionIndex="s"/>',
      ),
      attributes: [
        {
          name: 'email',
          valueTag: 'user.email',
          nameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
          valueXsiType: 'xs:string',
        },
      ],
    },
  })
  const sp = ServiceProvider({ metadata: samlMetadata(addresses) })
  const saml = parseSamlMetadata(idp.getMetadata())
  const url = new URL(await samlSignInUrl(saml, addresses, { requestId, state: 'the-state' }))

  const query = Object.fromEntries(url.searchParams)
  const request = await idp.parseLoginRequest(sp, 'redirect', { query })
  expect(request.extract['request']?.id).toBe(requestId)
  expect(query['RelayState']).toBe('the-state')

  const at = (ms: number) => new Date(Date.now() + ms).toISOString()
  const { extract } = request
  const options = {
    customTagReplacement: (template: string) => ({
      id: '_response',
      context: SamlLib.replaceTagsByValue(template, {
        ID: '_response',
        AssertionID: '_assertion',
        Destination: addresses.acsUrl,
        Audience: addresses.entityId,
        SubjectRecipient: addresses.acsUrl,
        NameIDFormat: Constants.namespace.format.persistent,
        NameID: 'grace',
        Issuer: saml.issuer,
        IssueInstant: at(0),
        ConditionsNotBefore: at(-1_000),
        ConditionsNotOnOrAfter: at(120_000),
        SubjectConfirmationDataNotOnOrAfter: at(120_000),
        InResponseTo: requestId,
        StatusCode: Constants.StatusCode.Success,
        attrUserEmail: 'grace@acme.example.test',
      }),
    }),
  }
  const { context } = await idp.createLoginResponse(sp, { extract }, 'post', {}, options)
  const { person } = await checkSamlAnswer(context, {
    connectionId,
    provider: saml,
    addresses,
    requestId,
    roleAttribute: null,
    now: new Date(),
  })
  expect(person).toMatchObject({ subject: 'grace', email: 'grace@acme.example.test' })
})
