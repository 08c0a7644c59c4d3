import { forkSystem } from '@sluice/kit/database'
import { permissionsOfScopes, rolePermissions } from '@sluice/schema/permissions'
import { expect, test } from 'vitest'

import { createApiKey } from '../api-key/api-key.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { createAuthtoken } from '../authtoken/authtoken.ts'
import { removeMember } from '../organization/member.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import {
  changeServiceAccountRole,
  createServiceAccount,
  deleteServiceAccount,
  findServiceAccounts,
  setServiceAccountDisabled,
} from './service-account.ts'

const ip = '192.0.2.1'
const asAuthtoken = (world: World, token: string) =>
  authenticate(world.deps, { credential: { kind: 'authtoken', token }, ip })
const asApiKey = (world: World, token: string) =>
  authenticate(world.deps, { credential: { kind: 'api-key', token }, ip })
const developer = { role: 'DEVELOPER', customRoleId: null } as const

async function accountOf(person: Person, organizationId = person.organizationId) {
  const account = await createServiceAccount(
    await person.context(),
    organizationId,
    'deploys',
    developer,
  )
  const terms = { serviceAccountId: account.id }
  const authtoken = await createAuthtoken(
    await person.context(),
    organizationId,
    'ci',
    ['TUNNELS_START'],
    terms,
  )
  const apiKey = await createApiKey(await person.context(), {
    organizationId,
    name: 'ci',
    permissions: ['tunnels.manage', 'domains.manage'],
    ...terms,
  })
  return { account, authtoken, apiKey }
}

test('what a service account owns has its role, and outlives who made it', async () => {
  await using world = await openWorld()
  const [owner, admin] = [await world.person(), await world.person()]
  const { organizationId } = owner
  const member = await world.join(organizationId, admin, 'ADMIN')
  const { authtoken, apiKey } = await accountOf(admin, organizationId)

  await removeMember(await owner.context(), member.id)

  const { principal } = await asAuthtoken(world, authtoken.secret)
  expect(principal).toMatchObject({ kind: 'authtoken', userId: null })
  expect(principal.memberships[0]?.permissions).toBe(
    rolePermissions.DEVELOPER & permissionsOfScopes(['TUNNELS_START']),
  )
  expect((await asApiKey(world, apiKey.secret)).principal.memberships).toHaveLength(1)
})

test('a role that is taken away is taken from its authtokens and keys, too', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { account, authtoken, apiKey } = await accountOf(ada)

  await changeServiceAccountRole(await ada.context(), account.id, {
    role: 'VIEWER',
    customRoleId: null,
  })

  const held = [
    await asAuthtoken(world, authtoken.secret),
    await asApiKey(world, apiKey.secret),
  ].map(({ principal }) => principal.memberships[0]?.permissions)
  expect(held).toEqual([0, 0])
  expect(world.revoked).toEqual([
    `authtoken:${authtoken.credential.id}`,
    `api-key:${apiKey.credential.id}`,
  ])
})

test('a disabled service account does nothing until it is enabled; a deleted one never again', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { account, authtoken, apiKey } = await accountOf(ada)
  const refused = async () => {
    await expect(asAuthtoken(world, authtoken.secret)).rejects.toMatchObject({
      code: 'SLUICE_AUTHTOKEN_INVALID',
    })
    await expect(asApiKey(world, apiKey.secret)).rejects.toMatchObject({
      code: 'SLUICE_API_KEY_INVALID',
    })
  }

  await setServiceAccountDisabled(await ada.context(), account.id, true)
  await refused()
  const both = [`authtoken:${authtoken.credential.id}`, `api-key:${apiKey.credential.id}`]
  expect(world.revoked).toEqual(both)
  await setServiceAccountDisabled(await ada.context(), account.id, false)
  await asAuthtoken(world, authtoken.secret)
  await deleteServiceAccount(await ada.context(), account.id)
  await refused()

  expect(world.revoked).toEqual([...both, ...both])
  expect(await findServiceAccounts(await ada.context(), ada.organizationId)).toEqual([])
  const em = forkSystem(world.db.orm)
  expect(
    await em.count(AuditEntry, { action: { $in: ['authtoken.revoked', 'api-key.revoked'] } }),
  ).toBe(2)
})

test('nobody gives a service account more than they hold, and none is an owner', async () => {
  await using world = await openWorld()
  const [owner, dev, stranger] = [await world.person(), await world.person(), await world.person()]
  const { organizationId } = owner
  await world.join(organizationId, dev, 'DEVELOPER')
  const { account } = await accountOf(owner)
  const make = async (person: Person, role: 'OWNER' | 'VIEWER') =>
    createServiceAccount(await person.context(), organizationId, 'x', { role, customRoleId: null })

  await expect(make(owner, 'OWNER')).rejects.toMatchObject({ code: 'SLUICE_INPUT_INVALID' })
  await expect(make(dev, 'VIEWER')).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  const terms = { serviceAccountId: account.id }
  await expect(
    createAuthtoken(await dev.context(), organizationId, 'x', undefined, terms),
  ).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  await expect(
    createAuthtoken(await stranger.context(), stranger.organizationId, 'x', undefined, terms),
  ).rejects.toMatchObject({ code: 'SLUICE_SERVICE_ACCOUNT_NOT_FOUND' })
  await expect(deleteServiceAccount(await stranger.context(), account.id)).rejects.toMatchObject({
    code: 'SLUICE_SERVICE_ACCOUNT_NOT_FOUND',
  })
})
