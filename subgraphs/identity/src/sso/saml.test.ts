import { expect, test } from 'vitest'

import { SamlRefusal } from './saml-assertion.ts'
import { parseSamlMetadata } from './saml-metadata.ts'
import { space } from './saml-xml.ts'
import { answerBytesMax } from './saml.ts'
import {
  asked,
  badAnswers,
  check,
  confirmation,
  evil,
  other,
  provider,
  signature,
  wrappings,
} from './testing-forgeries.ts'
import { encode, metadataOf } from './testing-saml.ts'

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

test.for(badAnswers)('an answer that is %s lets nobody in', async ([, reason, changed]) => {
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

  const wanting = provider.metadata.replace(
    'IDPSSODescriptor ',
    'IDPSSODescriptor WantAuthnRequestsSigned="1" ',
  )
  expect(parseSamlMetadata(wanting)).toEqual({ ...read, wantsSignedRequests: true })
  const one = provider.metadata.replace(/^[\s\S]*?<EntityDescriptor/, '<EntityDescriptor')
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
    `<EntitiesDescriptor xmlns="${space.metadata}">${one}${one}</EntitiesDescriptor>`,
    ' '.repeat(600_000),
  ]
  for (const text of refused) {
    expect(() => parseSamlMetadata(text)).toThrow(
      expect.objectContaining({ code: 'SLUICE_SSO_METADATA_INVALID' }),
    )
  }
})
