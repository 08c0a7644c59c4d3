import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto'

import { forkSystem } from '@sluice/kit/database'
import { Sealer } from '@sluice/kit/sealer'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { configureSaml, createConnection } from './connection.ts'
import { SamlKey } from './saml-key.entity.ts'
import {
  addSamlKey,
  findSamlKeys,
  openSamlKeys,
  removeSamlKey,
  requestKeyOf,
  resealSamlKeys,
} from './saml-key.ts'
import { createSamlProvider } from './testing-saml.ts'

let world: World
let owner: Person
let connectionId: string
beforeAll(async () => {
  world = await openWorld()
  owner = await world.person('Olga')
  const made = await createConnection(await owner.context(), owner.organizationId, 'SAML')
  connectionId = made.id
})
afterAll(() => world[Symbol.asyncDispose]())

const system = () => forkSystem(world.db.orm)
const keys = () => findSamlKeys(system(), connectionId)
const opened = () => openSamlKeys(world.db.orm, world.deps.sealer, { id: connectionId })

test('a connection has a key of its own from the beginning, which is nowhere to be read', async () => {
  const [key] = await keys()
  const { privateKeys, certificates } = await opened()

  expect(privateKeys).toHaveLength(1)
  const certificate = new X509Certificate(certificates[0] ?? '')
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.publicKey.equals(createPublicKey(privateKeys[0] ?? ''))).toBe(true)
  const rows = await system().execute('select * from "identity"."saml_key"')
  expect(JSON.stringify(rows)).not.toContain('PRIVATE KEY')
  // Moved to another connection it does not open.
  const other = await world.person()
  const { id } = await createConnection(await other.context(), other.organizationId, 'SAML')
  await system().nativeUpdate(
    SamlKey,
    { connectionId: id },
    { sealedPrivateKey: key?.sealedPrivateKey ?? '' },
  )
  await expect(openSamlKeys(world.db.orm, world.deps.sealer, { id })).rejects.toThrow(
    'authenticate',
  )
})

test('a rotation makes the new key known first, and the old one signs until it is removed', async () => {
  const context = await owner.context()
  const { organizationId } = owner
  const before = await opened()
  world.pass(1_000)
  await addSamlKey(context, organizationId)

  const during = await opened()
  expect(during.privateKeys).toHaveLength(2)
  const connection = { signsRequests: true, saml: null }
  expect(requestKeyOf(connection, during)).toBe(before.privateKeys[0])
  expect(requestKeyOf({ ...connection, signsRequests: false }, during)).toBeNull()
  await expect(addSamlKey(context, organizationId)).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })

  const [old, successor] = await keys()
  await removeSamlKey(context, organizationId, old?.id ?? '')
  expect(requestKeyOf(connection, await opened())).toBe(during.privateKeys[1])
  await expect(removeSamlKey(context, organizationId, successor?.id ?? '')).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
  const acts = await system().find(AuditEntry, { organizationId, action: /^sso\.key-/ })
  expect(acts.map(({ action }) => action).toSorted()).toEqual(['sso.key-added', 'sso.key-removed'])
})

test('of several rotations at once one begins', async () => {
  const one = await world.person()
  const context = await one.context()
  const { id } = await createConnection(context, one.organizationId, 'SAML')

  const asked = await Promise.allSettled(
    Array.from({ length: 3 }, async () => addSamlKey(await one.context(), one.organizationId)),
  )

  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await findSamlKeys(system(), id)).toHaveLength(2)
})

test('the keys of another organization are missing, and its key is no key of ours', async () => {
  const stranger = await world.person('Sam')
  const context = await stranger.context()
  await createConnection(context, stranger.organizationId, 'SAML')
  await addSamlKey(context, stranger.organizationId)
  const [key] = await keys()
  const id = key?.id ?? ''

  const missing = { code: 'SLUICE_ORGANIZATION_NOT_FOUND' }
  await expect(addSamlKey(context, owner.organizationId)).rejects.toMatchObject(missing)
  await expect(removeSamlKey(context, owner.organizationId, id)).rejects.toMatchObject(missing)
  await expect(removeSamlKey(context, stranger.organizationId, id)).rejects.toMatchObject({
    code: 'SLUICE_SSO_NOT_FOUND',
  })
  expect((await keys()).map((one) => one.id)).toContain(id)
})

test('settings that are saved again keep keys, tests and whether requests are signed', async () => {
  const one = await world.person()
  const context = await one.context()
  const { organizationId } = one
  const { metadata } = await createSamlProvider()
  const { id } = await configureSaml(context, { organizationId, metadata, signsRequests: true })
  const before = await findSamlKeys(system(), id)

  const again = await configureSaml(await one.context(), { organizationId, metadata })

  expect(again).toMatchObject({ id, signsRequests: true })
  expect((await findSamlKeys(system(), id)).map((key) => key.id)).toEqual(
    before.map((key) => key.id),
  )
})

test('keys move to a new sealing key, and an old one that is gone is noticed', async () => {
  const next = { id: 'next', key: randomBytes(32) }
  const former = { id: 'former', key: randomBytes(32) }
  const [key] = await keys()
  const { sealed, sealingKeyId } = new Sealer([former]).seal(
    'moved',
    `saml-key:${connectionId}:${key?.id}`,
  )
  await system().nativeDelete(SamlKey, { connectionId: { $ne: connectionId } })
  await system().nativeUpdate(
    SamlKey,
    { id: key?.id ?? '' },
    { sealedPrivateKey: sealed, sealingKeyId },
  )

  expect(await resealSamlKeys(system(), new Sealer([next]))).toBe(1)
  expect(await resealSamlKeys(system(), new Sealer([next, former]))).toBe(0)

  const { privateKeys } = await openSamlKeys(world.db.orm, new Sealer([next]), {
    id: connectionId,
  })
  expect(privateKeys[0]).toBe('moved')
})
