import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { anonymous } from '@sluice/kit/principal'
import type { Revocation } from '@sluice/schema/redis'
import { expect, test, vi } from 'vitest'

import { createApiKey } from '../api-key/api-key.ts'
import { authtokenRules, createAuthtoken } from '../authtoken/authtoken.ts'
import { revokeCredential } from '../credential/credentials.ts'
import { Mail } from '../mail/mail.entity.ts'
import { removeMember } from '../organization/member.ts'
import { openWorld, type World } from '../testing.ts'
import {
  listRevocations,
  openRevocationAnnouncer,
  purgeRevocations,
  revocationsSince,
} from './revocation-list.ts'
import { revokeSecret } from './revoke-secret.ts'
import { RevokedToken } from './revoked-token.entity.ts'

const listed = async (world: World) =>
  (await revocationsSince(world.deps, new Date(0))).map(({ kind, id }) => `${kind}:${id}`)

test('every way to end a credential, a sign-in or a membership is on the list, cascades too', async () => {
  await using world = await openWorld()
  const [owner, other] = [await world.person(), await world.person()]
  const { organizationId } = owner
  const member = await world.join(organizationId, other, 'DEVELOPER')
  const one = await createAuthtoken(await owner.context(), organizationId, 'one')
  const two = await createAuthtoken(await other.context(), organizationId, 'two')
  const key = await createApiKey(await owner.context(), {
    organizationId,
    name: 'key',
    permissions: ['tunnels.read'],
  })
  const { signInId } = (await other.context()).principal

  await revokeCredential(await owner.context(), authtokenRules, one.credential.id)
  await removeMember(await owner.context(), member.id)
  const em = forkSystem(world.db.orm)
  const organizations = [organizationId, other.organizationId]
  await em.execute(`delete from identity.organization where id in (?, ?)`, organizations)
  await em.execute(`delete from identity."user" where id = ?`, [other.userId])

  expect(await listed(world)).toEqual(
    expect.arrayContaining([
      `authtoken:${one.credential.id}`,
      `authtoken:${two.credential.id}`,
      `membership:${organizationId}:${other.userId}`,
      `sign-in:${signInId}`,
      `api-key:${key.credential.id}`,
      `membership:${organizationId}:${owner.userId}`,
    ]),
  )
  expect((await listed(world)).filter((name) => name.endsWith(one.credential.id))).toHaveLength(1)
})

test('what Redis did not take is announced once it is back, by one replica', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { credential: authtoken } = await createAuthtoken(
    await ada.context(),
    ada.organizationId,
    'laptop',
  )
  const heard: Revocation[] = []
  let away = true
  const revocations = {
    ...world.deps.revocations,
    announce: async (revocation: Revocation) => {
      if (away) throw new Error('Redis is away')
      heard.push(revocation)
    },
  }
  const options = { orm: world.db.orm, revocations, now: world.deps.now, log: silentLog }
  const announcers = [openRevocationAnnouncer(options), openRevocationAnnouncer(options)]

  const { revokedAt } = await revokeCredential(await ada.context(), authtokenRules, authtoken.id)
  away = false
  await vi.waitFor(() => expect(heard).not.toEqual([]), 15_000)
  await Promise.all(announcers.map((one) => one.close()))

  const expected = { kind: 'authtoken', id: authtoken.id, at: revokedAt?.toISOString() }
  expect(heard).toEqual([expected])
})

test('the list is for relays, looks back as far as asked, and forgets what nothing depends on', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const context = await ada.context()
  const { credential: authtoken } = await createAuthtoken(context, ada.organizationId, 'laptop')
  await revokeCredential(context, authtokenRules, authtoken.id)
  const relay = { ...context, principal: { ...anonymous, kind: 'relay' as const } }
  const later = new Date(world.deps.now().getTime() + 1)

  expect(await listRevocations(relay, new Date(0))).toHaveLength(1)
  expect(await listRevocations(relay, later)).toEqual([])
  expect(() => listRevocations(context, later)).toThrow('relay key')
  world.pass(3 * 86_400_000)
  const em = forkSystem(world.db.orm)
  await purgeRevocations(em, world.deps.now())
  expect(await em.count(RevokedToken)).toBe(0)
})

test('whoever shows a secret ends it, and its owner is told; an unknown one changes nothing', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { organizationId } = ada
  const token = await createAuthtoken(await ada.context(), organizationId, 'leaked')
  const key = await createApiKey(await ada.context(), {
    organizationId,
    name: 'leaked',
    permissions: ['tunnels.read'],
  })
  const { signInId } = (await ada.context()).principal
  const scanner = () => world.request().context

  for (const secret of ['', 'slt_x', 'a.b.c', `${token.secret.slice(0, -1)}x`]) {
    await revokeSecret(scanner(), secret)
  }
  expect(world.revoked).toEqual([])
  for (const secret of [token.secret, key.secret, ada.refreshToken, token.secret]) {
    await revokeSecret(scanner(), secret)
  }

  expect(world.revoked).toEqual([
    `authtoken:${token.credential.id}`,
    `api-key:${key.credential.id}`,
    `sign-in:${signInId}`,
  ])
  const mails = await forkSystem(world.db.orm).find(Mail, {
    kind: { $in: ['authtoken-reported', 'api-key-reported'] },
  })
  expect(mails.map(({ address }) => address)).toEqual([ada.email, ada.email])
})
