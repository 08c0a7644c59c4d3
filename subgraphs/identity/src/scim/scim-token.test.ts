import { forkSystem } from '@sluice/kit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { proofLifeMs } from '../account/assert-proved.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { openWorld, type World } from '../testing.ts'
import { findCalls } from './scim-call.ts'
import { ScimToken } from './scim-token.entity.ts'
import { createScimToken, findScimTokens, revokeScimToken, rotateScimToken } from './scim-token.ts'
import { openProvider, personBody, sender } from './testing-provider.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const hourMs = 3_600_000

test('a token works until it is revoked, is kept as a hash only, and shows where it was used', async () => {
  const owner = await world.person()
  const { send, secret, tokenId } = await openProvider(world, owner)
  expect((await send('GET', '/Users')).status).toBe(200)

  const [token] = await findScimTokens(await owner.context(), owner.organizationId)
  expect(token).toMatchObject({ lastUsedIp: '192.0.2.7', prefix: secret.slice(0, 10) })
  const rows = await forkSystem(world.db.orm).execute('select * from identity.scim_token')
  expect(JSON.stringify(rows)).not.toContain(secret)

  await revokeScimToken(await owner.context(), tokenId)
  await revokeScimToken(await owner.context(), tokenId)

  expect((await send('GET', '/Users')).status).toBe(401)
  const entries = await forkSystem(world.db.orm).find(AuditEntry, { targetId: tokenId })
  expect(entries.map(({ action }) => action).toSorted()).toEqual([
    'scim-token.created',
    'scim-token.revoked',
  ])
})

test('a rotation leaves the old token its overlap and no longer, and another one cannot lengthen it', async () => {
  const owner = await world.person()
  const { send: old, tokenId } = await openProvider(world, owner)

  const { secret } = await rotateScimToken(await owner.context(), tokenId, 1)
  await rotateScimToken(await owner.context(), tokenId, 24)
  const fresh = sender(world, secret)
  expect([(await old('GET', '/Users')).status, (await fresh('GET', '/Users')).status]).toEqual([
    200, 200,
  ])

  world.pass(hourMs + 1)
  expect([(await old('GET', '/Users')).status, (await fresh('GET', '/Users')).status]).toEqual([
    401, 200,
  ])
})

test('a rotation without overlap ends the old token at once', async () => {
  const owner = await world.person()
  const { send, tokenId } = await openProvider(world, owner)

  await rotateScimToken(await owner.context(), tokenId, 0)

  expect((await send('GET', '/Users')).status).toBe(401)
  for (const hours of [-1, 169, 1.5, Number.NaN]) {
    await expect(rotateScimToken(await owner.context(), tokenId, hours)).rejects.toMatchObject({
      code: 'SLUICE_INPUT_INVALID',
    })
  }
})

test('tokens are for those who manage single sign-on, and for a fresh proof', async () => {
  const owner = await world.person()
  const { organizationId } = owner
  const { tokenId } = await openProvider(world, owner)
  const developer = await world.person()
  await world.join(organizationId, developer, 'DEVELOPER')
  const stranger = await world.person()

  for (const [person, code] of [
    [developer, 'SLUICE_FORBIDDEN'],
    [stranger, 'SLUICE_ORGANIZATION_NOT_FOUND'],
  ] as const) {
    const context = await person.context()
    await expect(createScimToken(context, organizationId, 'x')).rejects.toMatchObject({ code })
    await expect(findScimTokens(context, organizationId)).rejects.toMatchObject({ code })
    await expect(findCalls(context, organizationId, 10)).rejects.toMatchObject({ code })
  }
  for (const change of [revokeScimToken, (c: never, id: string) => rotateScimToken(c, id, 1)]) {
    await expect(change((await developer.context()) as never, tokenId)).rejects.toMatchObject({
      code: 'SLUICE_FORBIDDEN',
    })
    await expect(change((await stranger.context()) as never, tokenId)).rejects.toMatchObject({
      code: 'SLUICE_SCIM_TOKEN_NOT_FOUND',
    })
  }

  world.pass(proofLifeMs + 1)
  await expect(
    createScimToken(await owner.context(), organizationId, 'late'),
  ).rejects.toMatchObject({ code: 'SLUICE_REAUTHENTICATION_NEEDED' })
})

test('an organization has ten tokens that work, however many were made at once', async () => {
  const owner = await world.person()
  const contexts = await Promise.all(Array.from({ length: 12 }, () => owner.context()))

  const made = await Promise.allSettled(
    contexts.map((context) => createScimToken(context, owner.organizationId, 'x')),
  )

  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  const em = forkSystem(world.db.orm)
  expect(await em.count(ScimToken, { organizationId: owner.organizationId })).toBe(10)
})

test('the last calls are kept with why they were refused, and nothing of a token', async () => {
  const owner = await world.person()
  const { send, secret } = await openProvider(world, owner)
  await send('GET', '/Users?filter=nothing eq "x"')
  world.pass(1)
  await send('POST', '/Users', personBody('calls@corp.test'))
  world.pass(1)
  for (let index = 0; index < 201; index += 1) {
    await send('GET', `/Users/${crypto.randomUUID()}`)
    world.pass(1)
  }

  const calls = await findCalls(await owner.context(), owner.organizationId, 1_000)

  expect(calls).toHaveLength(200)
  expect(calls[0]).toMatchObject({ method: 'GET', status: 404, tokenName: 'Okta' })
  expect(JSON.stringify(calls)).not.toContain(secret)
  await send('GET', '/Users?filter=nothing eq "x"')
  const [last] = await findCalls(await owner.context(), owner.organizationId, 1)
  expect(last).toMatchObject({ path: '/Users?filter=nothing eq "x"', status: 400 })
  expect(last?.detail).toContain('nothing')
})
