import { forkSystem } from '@sluice/kit/database'
import { permissionSet } from '@sluice/schema/permissions'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { changeCredential } from '../credential/change-credential.ts'
import { newCredential } from '../credential/credential.ts'
import { credentialPage, revokeCredential, rotateCredential } from '../credential/credentials.ts'
import { changeMemberRole, removeMember } from '../organization/member.ts'
import { openWorld, type World } from '../testing.ts'
import { apiKeyRules, createApiKey, makerHolds } from './api-key.ts'

const ask = (world: World, token: string, ip = '192.0.2.1') =>
  authenticate(world.deps, { credential: { kind: 'api-key', token }, ip })

test('an API key speaks for the organization, with what it was given and nothing else', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { organizationId } = ada
  const { credential: apiKey, secret } = await createApiKey(await ada.context(), {
    organizationId,
    name: 'partner',
    permissions: ['tunnels.read', 'domains.read'],
    requestsPerMinute: 30,
  })

  world.db.takeStatements()
  const { principal, expiresAt } = await ask(world, secret)

  expect(world.db.takeStatements().filter((sql) => sql.startsWith('select'))).toHaveLength(1)
  expect(secret).toMatch(/^slk_/)
  expect(expiresAt).toBeNull()
  expect(principal).toMatchObject({
    kind: 'api-key',
    id: apiKey.id,
    userId: null,
    requestsPerMinute: 30,
    memberships: [{ organizationId, permissions: permissionSet(['tunnels.read', 'domains.read']) }],
  })
  const em = forkSystem(world.db.orm)
  const rows = JSON.stringify(await em.execute(`select * from identity.api_key`))
  expect(rows).not.toContain(secret.slice(10))
  expect(await em.count(AuditEntry, { action: 'api-key.created' })).toBe(1)
})

test('nobody makes a key that may do more than they', async () => {
  await using world = await openWorld()
  const [owner, admin, developer] = [
    await world.person(),
    await world.person(),
    await world.person(),
  ]
  const { organizationId } = owner
  await world.join(organizationId, admin, 'ADMIN')
  await world.join(organizationId, developer, 'DEVELOPER')
  const input = { organizationId, name: 'k', permissions: ['billing.manage'] }

  for (const person of [admin, developer]) {
    await expect(createApiKey(await person.context(), input)).rejects.toMatchObject({
      code: 'SLUICE_FORBIDDEN',
    })
  }
  for (const wrong of [
    { permissions: [] },
    { permissions: ['tunnels.read', 'everything'] },
    { requestsPerMinute: 0 },
    { name: ' ' },
    { expiresAt: new Date(0) },
  ]) {
    await expect(createApiKey(await owner.context(), { ...input, ...wrong })).rejects.toMatchObject(
      { code: 'SLUICE_INPUT_INVALID' },
    )
  }
})

test('a key outlives its maker and their rights, and the list shows it', async () => {
  await using world = await openWorld()
  const [owner, admin] = [await world.person(), await world.person()]
  const { organizationId } = owner
  const member = await world.join(organizationId, admin, 'ADMIN')
  const input = { organizationId, name: 'k', permissions: ['members.manage'] }
  const { secret } = await createApiKey(await admin.context(), input)
  const held = async () => {
    const context = await owner.context()
    const [key] = (await credentialPage(context, apiKeyRules, organizationId, {})).nodes
    if (!key) throw new Error('the list is empty')
    const loaded = await context.memberPermissions.load(`${organizationId}:${key.createdBy}`)
    return makerHolds(loaded, key)
  }

  const before = await held()
  await changeMemberRole(await owner.context(), member.id, {
    role: 'VIEWER',
    customRoleId: null,
  })
  const demoted = await held()
  await removeMember(await owner.context(), member.id)

  expect([before, demoted, await held()]).toEqual([true, false, false])
  const [membership] = (await ask(world, secret)).principal.memberships
  expect(membership?.permissions).toBe(permissionSet(['members.manage']))
})

test('each way of not being good has a code of its own', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { organizationId } = ada
  const { secret } = await createApiKey(await ada.context(), {
    organizationId,
    name: 'k',
    permissions: ['tunnels.read'],
    allowedIps: ['198.51.100.0/24'],
    expiresAt: new Date(world.deps.now().getTime() + 60_000),
  })

  await ask(world, secret, '198.51.100.9')
  await expect(ask(world, secret, '192.0.2.1')).rejects.toMatchObject({
    code: 'SLUICE_API_KEY_IP_REFUSED',
    details: { ip: '192.0.2.1' },
  })
  await expect(ask(world, newCredential('api-key'))).rejects.toMatchObject({
    code: 'SLUICE_API_KEY_INVALID',
  })
  await expect(ask(world, newCredential('authtoken'))).rejects.toMatchObject({
    code: 'SLUICE_API_KEY_INVALID',
  })
  world.pass(60_000)
  await expect(ask(world, secret, '198.51.100.9')).rejects.toMatchObject({
    code: 'SLUICE_API_KEY_EXPIRED',
  })
})

test('revoking ends a key everywhere; another organization’s counts as missing', async () => {
  await using world = await openWorld()
  const [ada, stranger] = [await world.person(), await world.person()]
  const input = { organizationId: ada.organizationId, name: 'k', permissions: ['tunnels.read'] }
  const { credential: apiKey, secret } = await createApiKey(await ada.context(), input)
  const { id } = apiKey

  const foreign = await stranger.context()
  for (const act of [
    () => revokeCredential(foreign, apiKeyRules, id),
    () => rotateCredential(foreign, apiKeyRules, id, 0),
    () => changeCredential(foreign, apiKeyRules, id, { allowedIps: [] }),
  ]) {
    await expect(act()).rejects.toMatchObject({ code: 'SLUICE_API_KEY_NOT_FOUND' })
  }
  await expect(
    credentialPage(await stranger.context(), apiKeyRules, ada.organizationId, {}),
  ).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_NOT_FOUND',
  })
  const { revokedAt } = await revokeCredential(await ada.context(), apiKeyRules, id)

  expect(revokedAt).not.toBeNull()
  expect(world.revoked).toEqual([`api-key:${id}`])
  await expect(ask(world, secret)).rejects.toMatchObject({ code: 'SLUICE_API_KEY_INVALID' })
})
