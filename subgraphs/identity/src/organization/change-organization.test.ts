import { forkSystem } from '@sluice/kit/database'
import { OutboxEvent } from '@sluice/kit/outbox'
import { membershipOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { proofLifeMs } from '../account/assert-proved.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { createAuthtoken } from '../authtoken/authtoken.ts'
import { inviteMember } from '../invitation/invitation.ts'
import { createRole } from '../role/role.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { deleteOrganization, renameOrganization, transferOwnership } from './change-organization.ts'
import { Member } from './member.entity.ts'
import { changeMemberRole, removeMember } from './member.ts'
import { Organization } from './organization.entity.ts'

async function team(world: World, role: 'ADMIN' | 'OWNER' = 'ADMIN') {
  const owner = await world.person('Olga')
  const other = await world.person('Otto')
  const { organizationId } = owner
  const { id: memberId } = await world.join(organizationId, other, role)
  const em = forkSystem(world.db.orm)
  const { slug } = await em.findOneOrFail(Organization, { id: organizationId })
  const ownersId = (await em.findOneOrFail(Member, { organizationId, userId: owner.userId })).id
  world.revoked.length = 0
  return { owner, other, organizationId, memberId, ownersId, slug }
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? 'without a code',
  )

const membershipsOf = async (person: Person) => (await person.context()).principal.memberships

test('ownership goes to a member, its giver stays as admin, and the audit tells both', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world)

  await transferOwnership(await owner.context(), memberId)

  expect(await membershipsOf(other)).toContainEqual(membershipOf(organizationId, 'OWNER'))
  expect(await membershipsOf(owner)).toContainEqual(membershipOf(organizationId, 'ADMIN'))
  expect(world.revoked).toEqual([
    `membership:${organizationId}:${other.userId}`,
    `membership:${organizationId}:${owner.userId}`,
  ])
  const entries = await forkSystem(world.db.orm).find(AuditEntry, { organizationId })
  const details = entries
    .filter(({ action }) => /transferred|role-changed/.test(action))
    .map((entry) => `${entry.action} ${entry.details}`)
  expect(details.toSorted((a, b) => a.localeCompare(b))).toEqual(
    [
      `member.role-changed ${other.email} from ADMIN to OWNER`,
      `member.role-changed ${owner.email} from OWNER to ADMIN`,
      `organization.transferred to ${other.email}`,
    ].toSorted((a, b) => a.localeCompare(b)),
  )
})

test('only an owner who has proved lately that it is them gives ownership or deletes', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId, ownersId, slug } = await team(world)
  const stranger = await (await world.person()).context()
  const act = (context: typeof stranger) => [
    codeOf(
      transferOwnership(context, context.principal.userId === owner.userId ? memberId : ownersId),
    ),
    codeOf(deleteOrganization(context, organizationId, slug)),
  ]

  expect(await Promise.all(act(stranger))).toEqual([
    'SLUICE_MEMBER_NOT_FOUND',
    'SLUICE_ORGANIZATION_NOT_FOUND',
  ])
  expect(await Promise.all(act(await other.context()))).toEqual([
    'SLUICE_FORBIDDEN',
    'SLUICE_FORBIDDEN',
  ])
  world.pass(proofLifeMs + 1)
  expect(await Promise.all(act(await owner.context()))).toEqual([
    'SLUICE_REAUTHENTICATION_NEEDED',
    'SLUICE_REAUTHENTICATION_NEEDED',
  ])
})

test('a deleted organization opens nothing any more, tells the others once, and keeps its audit', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, slug } = await team(world)
  const { secret } = await createAuthtoken(await owner.context(), organizationId, 'laptop')
  const input = { name: 'Support', description: '', permissions: [] }
  const { id: customRoleId } = await createRole(await owner.context(), organizationId, input)
  const { id: third } = await world.join(organizationId, await world.person())
  await changeMemberRole(await owner.context(), third, { role: 'VIEWER', customRoleId })
  const asked = { role: 'VIEWER', customRoleId } as const
  await inviteMember(await owner.context(), organizationId, 'a@example.test', asked)

  expect(await codeOf(deleteOrganization(await owner.context(), organizationId, 'x'))).toBe(
    'SLUICE_INPUT_INVALID',
  )
  const [one, two] = [await owner.context(), await owner.context()]
  const codes = await Promise.all(
    [one, two].map((context) => codeOf(deleteOrganization(context, organizationId, ` ${slug}`))),
  )

  expect(codes.toSorted((a, b) => a.localeCompare(b))).toEqual([
    'done',
    'SLUICE_ORGANIZATION_NOT_FOUND',
  ])
  for (const person of [owner, other]) {
    expect((await membershipsOf(person)).map((held) => held.organizationId)).not.toContain(
      organizationId,
    )
  }
  const credential = { kind: 'authtoken', token: secret } as const
  await expect(authenticate(world.deps, { credential, ip: '' })).rejects.toMatchObject({
    code: 'SLUICE_AUTHTOKEN_INVALID',
  })
  expect(world.revoked).toContain(`organization:${organizationId}`)
  const em = forkSystem(world.db.orm)
  const told = await em.find(OutboxEvent, { name: 'organization.deleted' })
  expect(told).toMatchObject([{ entity: `organization:${organizationId}` }])
  const entries = await em.find(AuditEntry, { organizationId, action: 'organization.deleted' })
  expect(entries).toMatchObject([{ actorName: 'Olga' }])
})

test('a name changes for who may, its slug never', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, slug } = await team(world)
  const viewer = await world.person()
  await world.join(organizationId, viewer, 'VIEWER')

  const renamed = await renameOrganization(await other.context(), organizationId, ' Initech ')

  expect(renamed).toMatchObject({ name: 'Initech', slug })
  expect(await codeOf(renameOrganization(await viewer.context(), organizationId, 'x'))).toBe(
    'SLUICE_FORBIDDEN',
  )
  expect(await codeOf(renameOrganization(await owner.context(), organizationId, ' '))).toBe(
    'SLUICE_INPUT_INVALID',
  )
})

test('whatever owners do to themselves and each other at once, an owner is left', async () => {
  await using world = await openWorld()
  const em = forkSystem(world.db.orm)
  for (let round = 0; round < 4; round += 1) {
    const { owner, other, organizationId, memberId, ownersId } = await team(world, 'OWNER')
    const role = await createRole(await owner.context(), organizationId, {
      name: 'Support',
      description: '',
      permissions: ['members.read'],
    })
    const contexts = await Promise.all(
      [owner, owner, owner, other, other, other].map((one) => one.context()),
    )
    const [a, b, c, d, e, f] = contexts as [
      (typeof contexts)[0],
      (typeof contexts)[0],
      (typeof contexts)[0],
      (typeof contexts)[0],
      (typeof contexts)[0],
      (typeof contexts)[0],
    ]
    const custom = { role: 'VIEWER', customRoleId: role.id } as const
    await Promise.allSettled([
      transferOwnership(a, memberId),
      removeMember(b, ownersId),
      changeMemberRole(c, memberId, custom),
      transferOwnership(d, ownersId),
      changeMemberRole(e, memberId, { role: 'ADMIN' }),
      removeMember(f, ownersId),
      // As when an account is deleted.
      forkSystem(world.db.orm).execute(`delete from identity."user" where id = ?`, [other.userId]),
    ])

    expect(await em.count(Member, { organizationId, role: 'OWNER' })).toBeGreaterThan(0)
  }
})
