import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'

import { forkSystem } from '@sluice/kit/database'
import { anonymous, gatewayPrincipal, type Principal } from '@sluice/kit/principal'
import { Sealer } from '@sluice/kit/sealer'
import { memberOf, membershipOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { addCustomDomain, removeCustomDomain } from '../domain/custom-domain.ts'
import { createAuthority } from '../testing/certificate.ts'
import { createWorld, type World } from '../testing/world.ts'
import { Certificate } from './certificate.entity.ts'
import {
  relayCertificate,
  removeDomainCertificate,
  resealPrivateKeys,
  setDomainCertificate,
} from './certificate.ts'
import { readChain } from './read-chain.ts'

const domain = 'app.example.com'
const relay: Principal = { ...anonymous, kind: 'relay', id: 'relay-key-1' }
const authority = createAuthority()

function given(name = domain, days = { from: -1, to: 60 }) {
  const { cert, key } = authority.issue(name, days)
  return { chain: `${cert}${authority.certificate}`, privateKey: String(key) }
}

async function rowsOf(world: World) {
  return forkSystem(world.db.orm).find(Certificate, {})
}

test('a certificate of a verified domain reaches relays whole, and is sealed in the table', async () => {
  const world = await createWorld()
  const { id } = await world.verified(world.acme, domain)
  const { chain, privateKey } = given()

  await setDomainCertificate(world.asAcme(), { id, chain, privateKey })

  const handed = await relayCertificate(world.contextFor(relay), domain.toUpperCase())
  const [row] = await rowsOf(world)
  expect(handed).toMatchObject({ chain, privateKey })
  expect(handed?.expiresAt.getTime()).toBeGreaterThan(Date.now())
  expect(JSON.stringify(row)).not.toContain('PRIVATE')
  expect(row).toMatchObject({ organizationId: world.acme, domainId: id, source: 'UPLOADED' })
  expect(world.announced).toEqual([domain])
})

test.for<[string, (world: World) => Principal]>([
  ['an owner', (world) => memberOf(world.acme)],
  ['a stranger', (world) => memberOf(world.globex)],
  ['nobody', () => anonymous],
  ['the gateway', () => gatewayPrincipal],
  ['staff', (world) => ({ ...memberOf(world.acme), isAdmin: true })],
])('%s is not handed a private key', async ([, principalOf]) => {
  const world = await createWorld()
  const { id } = await world.verified(world.acme, domain)
  await setDomainCertificate(world.asAcme(), { id, ...given() })

  const asked = relayCertificate(world.contextFor(principalOf(world)), domain)

  await expect(asked).rejects.toMatchObject({ code: 'SLUICE_RELAY_KEY_INVALID' })
})

test('a relay gets nothing for a domain without a certificate, or of nobody', async () => {
  const world = await createWorld()
  await world.verified(world.acme, domain)

  expect(await relayCertificate(world.contextFor(relay), domain)).toBeNull()
  expect(await relayCertificate(world.contextFor(relay), 'nobody.example.com')).toBeNull()
})

test('a domain that is not verified takes no certificate', async () => {
  const world = await createWorld()
  const { id } = await addCustomDomain(world.asAcme(), { organizationId: world.acme, domain })

  const set = setDomainCertificate(world.asAcme(), { id, ...given() })

  await expect(set).rejects.toMatchObject({ code: 'SLUICE_DOMAIN_NOT_VERIFIED' })
  expect(await rowsOf(world)).toEqual([])
})

test('another organization’s domain looks missing, and a viewer changes nothing', async () => {
  const world = await createWorld()
  const { id } = await world.verified(world.acme, domain)
  await setDomainCertificate(world.asAcme(), { id, ...given() })
  const viewer = memberOf(world.acme)
  const asViewer = () =>
    world.contextFor({
      ...viewer,
      memberships: [membershipOf(world.acme, 'VIEWER')],
    })

  for (const refused of [
    setDomainCertificate(world.asGlobex(), { id, ...given() }),
    removeDomainCertificate(world.asGlobex(), id),
  ]) {
    await expect(refused).rejects.toMatchObject({ code: 'SLUICE_DOMAIN_NOT_FOUND' })
  }
  await expect(removeDomainCertificate(asViewer(), id)).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  expect(await rowsOf(world)).toHaveLength(1)
})

test('a second certificate takes the place of the first, also when two are set at once', async () => {
  const world = await createWorld()
  const { id } = await world.verified(world.acme, domain)
  const [first, second, third] = [given(), given(), given()]
  await setDomainCertificate(world.asAcme(), { id, ...first })

  await Promise.all(
    [second, third].map((one) => setDomainCertificate(world.asAcme(), { id, ...one })),
  )

  const handed = await relayCertificate(world.contextFor(relay), domain)
  expect([second.privateKey, third.privateKey]).toContain(handed?.privateKey)
  expect(await rowsOf(world)).toHaveLength(1)
})

test('a removed certificate, and that of a removed domain, is gone and announced', async () => {
  const world = await createWorld()
  const { id } = await world.verified(world.acme, domain)
  await setDomainCertificate(world.asAcme(), { id, ...given() })

  await removeDomainCertificate(world.asAcme(), id)
  const afterRemoval = await rowsOf(world)
  await setDomainCertificate(world.asAcme(), { id, ...given() })
  await removeCustomDomain(world.asAcme(), id)

  expect(afterRemoval).toEqual([])
  expect(await rowsOf(world)).toEqual([])
  expect(world.announced).toEqual([domain, domain, domain, domain])
})

test('without a sealing key no certificate is taken, and no relay is handed one', async () => {
  const world = await createWorld()
  const { id } = await world.verified(world.acme, domain)
  await setDomainCertificate(world.asAcme(), { id, ...given() })
  const without = (principal: Principal) => ({ ...world.contextFor(principal), sealer: undefined })

  const set = setDomainCertificate(without(memberOf(world.acme)), { id, ...given() })

  await expect(set).rejects.toMatchObject({ code: 'SLUICE_CERTIFICATES_NOT_KEPT' })
  expect(await relayCertificate(without(relay), domain)).toBeNull()
})

test('a new sealing key takes over all rows, and those it cannot open stay as they are', async () => {
  const world = await createWorld()
  const ours = await world.verified(world.acme, domain)
  const theirs = await world.verified(world.globex, 'b.example.com')
  const certificate = given()
  await setDomainCertificate(world.asAcme(), { id: ours.id, ...certificate })
  await setDomainCertificate(world.asGlobex(), { id: theirs.id, ...given('b.example.com') })
  await forkSystem(world.db.orm).nativeUpdate(
    Certificate,
    { domainId: theirs.id },
    { sealingKeyId: 'lost' },
  )
  const [current, next] = [world.sealingKey, { id: 'next', key: randomBytes(32) }]
  const system = () => forkSystem(world.db.orm)

  const counts = await resealPrivateKeys(system, new Sealer([next, current]))

  const context = { ...world.contextFor(relay), sealer: new Sealer([next]) }
  expect(counts).toEqual({ resealed: 1, failed: 1 })
  expect(await relayCertificate(context, domain)).toMatchObject(certificate)
})

test('what is kept has neither text around the PEM nor the order of keys that came', () => {
  const { chain, privateKey } = given()

  const kept = readChain({ domain, chain: `Bag\n${chain}\nend`, privateKey }, new Date())

  expect(kept.chain).toBe(chain)
  expect(kept.names).toEqual([domain])
  expect(kept.issuer).toBe('Sluice Test Authority')
})

const { chain, privateKey } = given()
const [own = '', root = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/)
const pem = { type: 'pkcs8', format: 'pem' } as const
const keyOf = ({ privateKey: key }: { privateKey: KeyObject }) => String(key.export(pem))

test.for<[string, RegExp, { chain?: string; privateKey?: string }]>([
  ['an empty chain', /no certificate/, { chain: '' }],
  ['a chain that is no PEM', /no certificate/, { chain: 'hello' }],
  ['a damaged certificate', /1 of the chain cannot be read/, { chain: own.replace('MII', 'AAA') }],
  ['a key in the chain', /holds a private key/, { chain: `${chain}${privateKey}` }],
  ['a key that is no PEM', /cannot be read/, { privateKey: 'hello' }],
  ['another key', /not the one of the first/, { privateKey: given().privateKey }],
  ['the authority first', /certificate 2 of the chain, which must/, { chain: `${root}${own}` }],
  ['another authority', /2 of the chain has not/, { chain: own + createAuthority().certificate }],
  ['another name', /it is for other\.example\.com/, given('other.example.com')],
  ['a name below', /it is for b\.app\.example\.com/, given(`b.${domain}`)],
  ['an expired one', /it expired on/, given(domain, { from: -60, to: -1 })],
  ['one of the future', /not valid before/, given(domain, { from: 1, to: 60 })],
  ['a long chain', /more than 10 certificates/, { chain: own.repeat(11) }],
  ['a huge chain', /more than 65536/, { chain: ' '.repeat(65_537) }],
  ['a huge key', /more than 16384/, { privateKey: ' '.repeat(16_385) }],
  [
    'a key of too few bits',
    /less than 2048 bits/,
    { privateKey: keyOf(generateKeyPairSync('rsa', { modulusLength: 1024 })) },
  ],
  [
    'an Ed25519 key',
    /neither RSA nor ECDSA/,
    { privateKey: keyOf(generateKeyPairSync('ed25519')) },
  ],
  [
    'a locked key',
    /locked by a passphrase/,
    { privateKey: '-----BEGIN ENCRYPTED PRIVATE KEY-----' },
  ],
])('%s is refused with its reason, and without a trace of the key', ([, reason, parts]) => {
  const read = () => readChain({ domain, chain, privateKey, ...parts }, new Date())

  expect(read).toThrow(expect.objectContaining({ code: 'SLUICE_CERTIFICATE_INVALID' }))
  expect(read).toThrow(
    expect.objectContaining({ details: { domain, reason: expect.stringMatching(reason) } }),
  )
  expect(read).not.toThrow(/BEGIN/)
})

test('a certificate with a star covers the names below it', () => {
  const wide = given('*.example.com')

  expect(readChain({ domain, ...wide }, new Date()).names).toEqual(['*.example.com'])
})
