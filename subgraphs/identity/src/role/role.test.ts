import { forkSystem } from '@sluice/kit/database'
import { may } from '@sluice/kit/principal'
import {
  namesOf,
  type Permission,
  permissionNames,
  permissionSet,
  rolePermissions,
} from '@sluice/schema/permissions'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { createAuthtoken } from '../authtoken/authtoken.ts'
import type { Context } from '../context.ts'
import { Member } from '../organization/member.entity.ts'
import { changeMemberRole, removeMember } from '../organization/member.ts'
import { admitMember } from '../organization/membership.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import {
  createRole,
  customRolePermissions,
  customRolesMax,
  deleteRole,
  updateRole,
} from './role.ts'

/** An organization with an owner and somebody else in it. */
async function team(world: World, role: 'ADMIN' | 'VIEWER' = 'VIEWER') {
  const owner = await world.person('Olga')
  const other = await world.person('Otto')
  const { organizationId } = owner
  const memberId = await join(world, organizationId, other, role)
  world.revoked.length = 0
  return { owner, other, organizationId, memberId }
}

async function join(
  world: World,
  organizationId: string,
  { userId }: Person,
  role: 'ADMIN' | 'VIEWER' = 'VIEWER',
): Promise<string> {
  const act = { actor: null, ip: '', at: world.deps.now() }
  const { member } = await forkSystem(world.db.orm).transactional((em) =>
    admitMember(em, { organizationId, userId, role, ...act }),
  )
  return member.id
}

function roleOf(
  context: Context,
  organizationId: string,
  permissions: readonly Permission[],
  name = 'Support',
) {
  return createRole(context, organizationId, { name, description: '', permissions })
}

/** What somebody may do in the organization now. */
async function heldBy(person: Person, organizationId: string): Promise<Permission[]> {
  const { principal } = await person.context()
  return permissionNames.filter((name) => may(principal, organizationId, name))
}

test('a member with a custom role may do what it names and nothing else, and so may their authtokens', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world)
  const named = ['tunnels.read', 'tunnels.manage', 'authtokens.create'] as const
  const role = await roleOf(await owner.context(), organizationId, named)

  await changeMemberRole(await owner.context(), memberId, { role: 'VIEWER', customRoleId: role.id })

  expect((await heldBy(other, organizationId)).toSorted()).toEqual([...named].toSorted())
  expect(world.revoked).toEqual([`membership:${organizationId}:${other.userId}`])
  const { secret } = await createAuthtoken(await other.context(), organizationId, 'laptop')
  const { principal } = await authenticate(world.deps, {
    credential: { kind: 'authtoken', token: secret },
    ip: '',
  })
  expect(namesOf(principal.memberships[0]?.permissions ?? 0)).toEqual([
    'tunnels.read',
    'tunnels.manage',
  ])
})

test('a changed role is changed for all who have it, and each is announced', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world)
  const role = await roleOf(await owner.context(), organizationId, ['tunnels.read'])
  const customRoleId = role.id
  await changeMemberRole(await owner.context(), memberId, { role: 'VIEWER', customRoleId })
  const third = await world.person('Ida')
  const thirdId = await join(world, organizationId, third)
  await changeMemberRole(await owner.context(), thirdId, { role: 'VIEWER', customRoleId })
  world.revoked.length = 0

  const wanted = { name: 'Support', description: 'Answers mail', permissions: ['domains.read'] }
  await updateRole(await owner.context(), role.id, wanted)
  await updateRole(await owner.context(), role.id, wanted)

  expect(await heldBy(other, organizationId)).toEqual(['domains.read'])
  expect(world.revoked.toSorted()).toEqual(
    [other, third].map(({ userId }) => `membership:${organizationId}:${userId}`).toSorted(),
  )
  const entries = await forkSystem(world.db.orm).find(AuditEntry, { action: 'role.changed' })
  expect(entries).toMatchObject([{ details: 'Support: +domains.read, -tunnels.read' }])
})

test('nobody gives, widens, deletes or assigns what they do not hold themselves', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world, 'ADMIN')
  const money = await roleOf(await owner.context(), organizationId, ['billing.manage'], 'Money')
  const open = await roleOf(await owner.context(), organizationId, ['tunnels.read'], 'Open')
  const asAdmin = [
    (admin: Context) => roleOf(admin, organizationId, ['billing.manage'], 'Mine'),
    (admin: Context) =>
      updateRole(admin, open.id, {
        name: 'Open',
        description: '',
        permissions: ['billing.manage'],
      }),
    (admin: Context) =>
      updateRole(admin, money.id, { name: 'Money', description: '', permissions: [] }),
    (admin: Context) => deleteRole(admin, money.id, null),
    (admin: Context) =>
      changeMemberRole(admin, memberId, { role: 'VIEWER', customRoleId: money.id }),
  ]

  for (const act of asAdmin) {
    await expect(act(await other.context())).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  }
  await expect(
    roleOf(await other.context(), organizationId, ['tunnels.manage'], 'Less'),
  ).resolves.toBeDefined()
})

test('a custom role that manages roles cannot make itself more than it is', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world)
  const named = ['roles.manage', 'members.manage', 'members.read'] as const
  const role = await roleOf(await owner.context(), organizationId, named)
  await changeMemberRole(await owner.context(), memberId, { role: 'VIEWER', customRoleId: role.id })

  const wider = { name: 'Support', description: '', permissions: [...named, 'tunnels.read'] }
  await expect(updateRole(await other.context(), role.id, wider)).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  await expect(
    changeMemberRole(await other.context(), memberId, { role: 'ADMIN' }),
  ).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  expect(await heldBy(other, organizationId)).toHaveLength(named.length)
})

test('an owner cannot be imitated: no custom role deletes an organization, and one with everything else is no owner', async () => {
  await using world = await openWorld()
  const { owner, organizationId, memberId } = await team(world)
  await expect(
    roleOf(await owner.context(), organizationId, ['organization.delete']),
  ).rejects.toMatchObject({ code: 'SLUICE_INPUT_INVALID' })
  const all = await roleOf(await owner.context(), organizationId, customRolePermissions)
  expect(all.permissions).toBe(rolePermissions.OWNER & ~permissionSet(['organization.delete']))
  await changeMemberRole(await owner.context(), memberId, { role: 'VIEWER', customRoleId: all.id })

  const em = forkSystem(world.db.orm)
  const ownersId = (await em.findOneOrFail(Member, { organizationId, role: 'OWNER' })).id
  for (const change of [
    async () => removeMember(await owner.context(), ownersId),
    async () =>
      changeMemberRole(await owner.context(), ownersId, { role: 'VIEWER', customRoleId: all.id }),
  ]) {
    await expect(change()).rejects.toMatchObject({ code: 'SLUICE_LAST_OWNER' })
  }
  await expect(
    em.execute(`update identity.member set role = 'OWNER' where id = ?`, [memberId]),
  ).rejects.toMatchObject({ constraint: 'member_custom_role' })
})

test('a role in use stays, unless those who have it get another', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world)
  const role = await roleOf(await owner.context(), organizationId, ['tunnels.read'])
  await changeMemberRole(await owner.context(), memberId, { role: 'VIEWER', customRoleId: role.id })
  world.revoked.length = 0

  await expect(deleteRole(await owner.context(), role.id, null)).rejects.toMatchObject({
    code: 'SLUICE_ROLE_IN_USE',
  })
  await deleteRole(await owner.context(), role.id, { role: 'DEVELOPER' })

  expect(await heldBy(other, organizationId)).toEqual(namesOf(rolePermissions.DEVELOPER))
  expect(world.revoked).toEqual([`membership:${organizationId}:${other.userId}`])
  await expect(deleteRole(await owner.context(), role.id, null)).rejects.toMatchObject({
    code: 'SLUICE_ROLE_NOT_FOUND',
  })
})

test('of one who deletes a role and one who gives it at once, nobody is left with a role that is gone', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world)
  const role = await roleOf(await owner.context(), organizationId, ['tunnels.read'])

  const contexts = [await owner.context(), await owner.context()] as const

  const answers = await Promise.allSettled([
    deleteRole(contexts[0], role.id, null),
    changeMemberRole(contexts[1], memberId, { role: 'VIEWER', customRoleId: role.id }),
  ])

  expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  await expect(other.context()).resolves.toBeDefined()
})

test('a role of another organization is missing, for changing and for giving', async () => {
  await using world = await openWorld()
  const { owner, organizationId, memberId } = await team(world)
  const stranger = await world.person()
  const theirs = await roleOf(await stranger.context(), stranger.organizationId, ['tunnels.read'])
  const missing = { code: 'SLUICE_ROLE_NOT_FOUND' }
  const wanted = { name: 'x', description: '', permissions: [] }

  for (const id of [theirs.id, crypto.randomUUID(), 'not-an-id']) {
    await expect(updateRole(await owner.context(), id, wanted)).rejects.toMatchObject(missing)
    await expect(deleteRole(await owner.context(), id, null)).rejects.toMatchObject(missing)
  }
  await expect(
    changeMemberRole(await owner.context(), memberId, { role: 'VIEWER', customRoleId: theirs.id }),
  ).rejects.toMatchObject(missing)
  await expect(roleOf(await stranger.context(), organizationId, [])).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_NOT_FOUND',
  })
})

test('names of roles are unique in their organization, and roles are counted', async () => {
  await using world = await openWorld()
  const { owner, organizationId } = await team(world)
  await roleOf(await owner.context(), organizationId, [], 'Same')

  await expect(roleOf(await owner.context(), organizationId, [], 'Same')).rejects.toMatchObject({
    code: 'SLUICE_ROLE_NAME_TAKEN',
  })
  await forkSystem(world.db.orm).execute(
    `insert into identity.custom_role (id, organization_id, name, description, permissions, created_at, updated_at)
     select gen_random_uuid(), ?, n::text, '', 0, now(), now() from generate_series(2, ?) n`,
    [organizationId, customRolesMax],
  )
  await expect(roleOf(await owner.context(), organizationId, [])).rejects.toMatchObject({
    code: 'SLUICE_ROLES_MAX',
  })
})
