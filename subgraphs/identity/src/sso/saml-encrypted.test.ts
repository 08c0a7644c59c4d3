import { expect, test } from 'vitest'

import { SamlRefusal } from './saml-assertion.ts'
import { contentCiphers } from './saml-decryption.ts'
import { space } from './saml-xml.ts'
import {
  asked,
  badAnswers,
  check,
  evil,
  ourKeys,
  provider,
  stranger,
  wrappings,
} from './testing-forgeries.ts'
import { encode, encrypt, encryptAssertions } from './testing-saml.ts'

const [ours, next] = ourKeys
const forUs = { certificate: ours.certificate }
/** The one text for all that goes wrong before the signature inside is known to be good. */
const unreadable = 'what it has encrypted is not for a key of ours'

const sha256 = { transport: `${space.encryption11}rsa-oaep`, digest: `${space.encryption}sha256` }
const ways = [
  ...Object.keys(contentCiphers).map((content) => ({ content })),
  { ...sha256, content: `${space.encryption11}aes256-gcm` },
  { ...sha256, content: `${space.encryption}aes256-cbc` },
]

test.for(ways)('an assertion that is encrypted by $content is read', async (way) => {
  const answer = { ...asked, groups: ['staff'], encrypted: { ...forUs, ...way } }
  const text = provider.respond(answer)
  expect(text).not.toContain('ada@acme.example.test')

  const { person } = await check(encode(text))

  expect(person).toMatchObject({ email: 'ada@acme.example.test', roleValues: ['staff'] })
})

test('while keys are rotated either may be encrypted for, and one that was removed opens nothing', async () => {
  const answer = provider.answer({ ...asked, encrypted: { certificate: next.certificate } })
  await expect(check(answer)).resolves.toBeDefined()
  await expect(check(answer, { keys: [next.privateKey] })).resolves.toBeDefined()

  await expect(check(answer, { keys: [ours.privateKey] })).rejects.toThrow(unreadable)
  await expect(check(answer, { keys: [] })).rejects.toThrow('we have no key')
})

// Whoever likes can encrypt for us: our certificate is in our metadata. Nothing is believed for being encrypted.
test.for(badAnswers)(
  'an encrypted answer that is %s lets nobody in',
  async ([, reason, changed]) => {
    const { signed, keys, signatureAlgorithm } = changed
    const isForged = signed !== undefined || keys !== undefined || signatureAlgorithm !== undefined
    const answer = provider.answer({ ...asked, ...changed, encrypted: forUs })

    await expect(check(answer)).rejects.toThrow(isForged ? unreadable : reason)
  },
)

test.for(Object.entries(wrappings))('wrapping, encrypted: %s lets nobody in', async ([, make]) => {
  const xml = make()
  expect(xml).toContain(evil)
  const whole = encryptAssertions(xml, forUs)
  expect(whole).not.toContain(evil)

  await expect(check(encode(whole))).rejects.toThrow(SamlRefusal)
})

test('a forged assertion beside a good encrypted one, or encrypted beside a good one, lets nobody in', async () => {
  const good = provider.respond(asked)
  const [assertion = ''] = /<saml:Assertion [\s\S]*<\/saml:Assertion>/.exec(good) ?? []
  const forged = assertion
    .replace(/<ds:Signature [\s\S]*<\/ds:Signature>/, '')
    .replace('ada-at-the-provider', evil)
  const sealed = (plain: string) => encrypt(plain, forUs)

  for (const both of [
    sealed(assertion) + forged,
    forged + sealed(assertion),
    assertion + sealed(forged),
    sealed(forged) + sealed(assertion),
    sealed(sealed(assertion)),
    sealed(`<!-- -->${assertion}`),
    sealed(`${assertion}</samlp:Response><samlp:Response>`),
    sealed(`</samlp:Response>${assertion}`),
    sealed(''),
  ]) {
    await expect(check(encode(good.replace(assertion, both)))).rejects.toThrow(SamlRefusal)
  }
})

/** Changes one byte of the n-th ciphertext, counted from its end. */
function flipped(xml: string, which: number, fromEnd: number): string {
  let index = -1
  return xml.replaceAll(/<xenc:CipherValue>([^<]+)/g, (whole, value: string) => {
    index += 1
    if (index !== which) return whole
    const bytes = Buffer.from(value, 'base64')
    bytes.writeUInt8((bytes.at(-fromEnd) ?? 0) ^ 1, bytes.length - fromEnd)
    return `<xenc:CipherValue>${bytes.toString('base64')}`
  })
}

test.for(['cbc', 'gcm'])('what comes of a changed ciphertext (%s) tells nothing', async (mode) => {
  const space256 = mode === 'cbc' ? space.encryption : space.encryption11
  const encrypted = { ...forUs, content: `${space256}aes256-${mode}` }
  const xml = provider.respond({ ...asked, encrypted })
  const changed = [
    // The wrapped key; padding, last block, first block and the start of the text; nothing, and no block at all.
    flipped(xml, 0, 20),
    ...[1, 17, 33, 40, 900].map((fromEnd) => flipped(xml, 1, fromEnd)),
    xml.replaceAll(/<xenc:CipherValue>[^<]+/g, '<xenc:CipherValue>'),
    provider.respond({ ...asked, encrypted: { ...encrypted, certificate: stranger.certificate } }),
    provider.respond({ ...asked, encrypted, keys: stranger }),
    provider.respond({ ...asked, encrypted, signed: 'nothing' }),
  ]

  const texts = await Promise.all(
    changed.map((text) => check(encode(text)).catch((error: Error) => error.message)),
  )

  expect(new Set(texts).size).toBe(1)
  expect(texts[0]).toContain(unreadable)
})

test('algorithms that answer questions of attackers are refused by name', async () => {
  const xml = provider.respond({ ...asked, encrypted: forUs })
  const oaep = `${space.encryption}rsa-oaep-mgf1p`
  const gcm = `${space.encryption11}aes256-gcm`
  const refused = {
    'rsa-1_5': xml.replace(oaep, `${space.encryption}rsa-1_5`),
    'tripledes-cbc': xml.replace(gcm, `${space.encryption}tripledes-cbc`),
    'take SHA-1 for both': xml.replace(`${space.signature}sha1`, `${space.encryption}sha256`),
    'encrypted keys': xml.replace(/<xenc:EncryptedKey>[\s\S]*<\/xenc:EncryptedKey>/, ''),
    'which is not taken': xml.replace(/<xenc:EncryptionMethod Algorithm="[^"]+"\/>/, ''),
  }
  for (const [reason, text] of Object.entries(refused)) {
    await expect(check(encode(text))).rejects.toThrow(reason)
  }
})
