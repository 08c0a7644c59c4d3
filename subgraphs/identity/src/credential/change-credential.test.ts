import { forkSystem } from '@sluice/kit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { apiKeyRules, createApiKey } from '../api-key/api-key.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { authtokenRules, createAuthtoken } from '../authtoken/authtoken.ts'
import { SecretRotation } from '../rotation/secret-rotation.entity.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { changeCredential } from './change-credential.ts'
import type { CredentialTerms } from './credential-terms.ts'
import { revokeCredential, rotateCredential } from './credentials.ts'

const hourMs = 3_600_000
let world: World
let owner: Person
let developer: Person
beforeAll(async () => {
  world = await openWorld()
  ;[owner, developer] = [await world.person('Owner'), await world.person('Dev')]
  await world.join(owner.organizationId, developer, 'DEVELOPER')
})
afterAll(() => world[Symbol.asyncDispose]())

const inHours = (hours: number) => new Date(world.deps.now().getTime() + hours * hourMs)
const make = async (person: Person, terms: CredentialTerms = {}) =>
  createAuthtoken(await person.context(), owner.organizationId, 'laptop', undefined, terms)
const change = async (person: Person, id: string, terms: CredentialTerms) =>
  changeCredential(await person.context(), authtokenRules, id, terms)
const ask = (token: string, ip = '192.0.2.1') =>
  authenticate(world.deps, { credential: { kind: 'authtoken', token }, ip })
const entriesAbout = async (id: string) => {
  const found = await forkSystem(world.db.orm).find(AuditEntry, { targetId: id })
  return found.flatMap(({ action, details }) => (action.endsWith('.changed') ? [details] : []))
}

test('what is narrowed is refused from then on, told everywhere, and audited with before and after', async () => {
  const { credential, secret } = await make(developer, { allowedIps: ['192.0.2.0/24'] })
  await ask(secret)
  world.revoked.length = 0
  const expiresAt = inHours(1)

  const changed = await change(developer, credential.id, { expiresAt, allowedIps: ['192.0.2.9'] })

  expect(changed).toMatchObject({ expiresAt, allowedIps: ['192.0.2.9'] })
  expect(world.revoked).toEqual([`authtoken:${credential.id}`])
  await expect(ask(secret)).rejects.toMatchObject({ code: 'SLUICE_AUTHTOKEN_IP_REFUSED' })
  expect((await ask(secret, '192.0.2.9')).expiresAt).toBe(expiresAt.toISOString())
  expect(await entriesAbout(credential.id)).toEqual([
    `laptop: ends ${expiresAt.toISOString()}, was never; from 192.0.2.9, was 192.0.2.0/24`,
  ])
})

test('what is left out stays, what is the same is no change, and what allows more ends no session', async () => {
  const { credential, secret } = await make(developer, {
    expiresAt: inHours(1),
    allowedIps: ['192.0.2.9'],
  })
  world.revoked.length = 0

  const same = await change(developer, credential.id, { allowedIps: ['192.0.2.9'] })
  const longer = await change(developer, credential.id, { expiresAt: null })
  const wider = await change(developer, credential.id, { allowedIps: null })

  expect(same).toMatchObject({ allowedIps: ['192.0.2.9'] })
  expect(longer).toMatchObject({ expiresAt: null, allowedIps: ['192.0.2.9'] })
  expect(wider).toMatchObject({ expiresAt: null, allowedIps: [] })
  expect(world.revoked).toEqual([])
  expect(await entriesAbout(credential.id)).toHaveLength(2)
  await ask(secret, '203.0.113.1')
})

test('an admin narrows a key that may do more than they, and never widens it', async () => {
  const admin = await world.person('Admin')
  const { organizationId } = owner
  await world.join(organizationId, admin, 'ADMIN')
  const { credential } = await createApiKey(await owner.context(), {
    organizationId,
    name: 'payer',
    permissions: ['billing.manage'],
    allowedIps: ['192.0.2.0/24'],
  })
  const changeKey = async (person: Person, terms: CredentialTerms) =>
    changeCredential(await person.context(), apiKeyRules, credential.id, terms)

  await changeKey(admin, { expiresAt: inHours(1), allowedIps: ['192.0.2.0/28'] })
  for (const terms of [
    { expiresAt: inHours(2) },
    { expiresAt: null },
    { allowedIps: null },
    { allowedIps: ['192.0.2.0/27'] },
    { allowedIps: ['192.0.2.1', '203.0.113.1'] },
  ]) {
    await expect(changeKey(admin, terms)).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  }
  await expect(changeKey(developer, { expiresAt: inHours(0.5) })).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  await changeKey(owner, { expiresAt: null, allowedIps: null })
})

test('developers change their own authtokens, those who manage them any', async () => {
  const [own, owners] = [await make(developer), await make(owner)]

  await change(owner, own.credential.id, { expiresAt: inHours(2) })
  await change(developer, own.credential.id, { expiresAt: inHours(1) })
  await expect(
    change(developer, owners.credential.id, { expiresAt: inHours(1) }),
  ).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
})

test('what has ended stays ended, and one that was replaced ends no later than was chosen', async () => {
  const [revoked, expired, replaced] = [await make(owner), await make(owner), await make(owner)]
  await revokeCredential(await owner.context(), authtokenRules, revoked.credential.id)
  await change(owner, expired.credential.id, { expiresAt: inHours(1) })
  const { id } = replaced.credential
  await rotateCredential(await owner.context(), authtokenRules, id, 6 * 3_600)
  const endsAt = inHours(3)
  await change(owner, id, { expiresAt: endsAt })

  await expect(change(owner, id, { expiresAt: null })).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
  world.pass(hourMs)
  for (const { credential } of [revoked, expired]) {
    await expect(change(owner, credential.id, { expiresAt: null })).rejects.toMatchObject({
      code: 'SLUICE_CREDENTIAL_ENDED',
    })
  }
  const ledger = await forkSystem(world.db.orm).find(SecretRotation, { secretId: id })
  expect(ledger).toMatchObject([{ oldEndsAt: endsAt }])
})

test('of two who change one at once both are done in turn, and neither undoes the other', async () => {
  const { credential } = await make(owner)
  const expiresAt = inHours(1)
  const contexts = [await owner.context(), await owner.context()] as const

  await Promise.all([
    changeCredential(contexts[0], authtokenRules, credential.id, { expiresAt }),
    changeCredential(contexts[1], authtokenRules, credential.id, { allowedIps: ['192.0.2.1'] }),
  ])

  const last = await change(owner, credential.id, {})
  expect(last).toMatchObject({ expiresAt, allowedIps: ['192.0.2.1'] })
  expect(await entriesAbout(credential.id)).toHaveLength(2)
})
