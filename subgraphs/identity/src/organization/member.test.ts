import { forkSystem } from '@sluice/kit/database'
import { memberOf, membershipOf } from '@sluice/kit/testing'
import { freeEntitlements } from '@sluice/schema/events'
import type { Role } from '@sluice/schema/permissions'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { Authtoken } from '../authtoken/authtoken.entity.ts'
import { createAuthtoken } from '../authtoken/authtoken.ts'
import { inviteMember } from '../invitation/invitation.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { Member } from './member.entity.ts'
import { changeMemberRole, memberPage, removeMember } from './member.ts'
import { createOrganization } from './organization.ts'

/** An organization of one owner, with another person in it. */
async function team(world: World, role: Role = 'DEVELOPER') {
  const owner = await world.person('Olga')
  const other = await world.person('Otto')
  const { organizationId } = owner
  const member = await world.join(organizationId, other, role)
  world.revoked.length = 0
  return { owner, other, organizationId, memberId: member.id }
}

async function memberIdOf(world: World, organizationId: string, person: Person): Promise<string> {
  const em = forkSystem(world.db.orm)
  return (await em.findOneOrFail(Member, { organizationId, userId: person.userId })).id
}

const codesOf = (answers: PromiseSettledResult<unknown>[]) =>
  answers.map((answer) => (answer.status === 'fulfilled' ? 'done' : answer.reason.code))

test('whoever is added can enter, with the role they were given', async () => {
  await using world = await openWorld()
  const { other, organizationId } = await team(world, 'VIEWER')

  const { principal } = await other.context()

  expect(principal.memberships).toContainEqual(membershipOf(organizationId, 'VIEWER'))
})

test('a person is a member once, also when two add them at once', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const other = await world.person()

  await Promise.all([1, 2].map(() => world.join(owner.organizationId, other)))

  const { userId } = other
  const { organizationId } = owner
  expect(await forkSystem(world.db.orm).count(Member, { organizationId, userId })).toBe(1)
})

test('an organization has as many members as its plan allows, also when many are added at once', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const { organizationId } = owner
  const addAll = async (count: number) => {
    const people = await Promise.all(Array.from({ length: count }, () => world.person()))
    const adding = people.map((person) => world.join(organizationId, person))
    return codesOf(await Promise.allSettled(adding)).filter((code) => code === 'done').length
  }

  // The owner is one of them.
  expect(await addAll(4)).toBe(freeEntitlements.maxMembers - 1)
  await world.tellEntitlements(organizationId, { maxMembers: 5 })
  expect(await addAll(4)).toBe(2)
  await world.tellEntitlements(organizationId, { maxMembers: 1 })

  const late = await world.person()
  await expect(world.join(organizationId, late)).rejects.toMatchObject({
    code: 'SLUICE_MEMBERS_MAX',
    details: { max: 1 },
  })
})

test('an organization of others looks missing, and so do its members', async () => {
  await using world = await openWorld()
  const { organizationId, memberId } = await team(world)
  const stranger = await (await world.person()).context()

  await expect(
    inviteMember(stranger, organizationId, 'x@example.test', { role: 'VIEWER' }),
  ).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_NOT_FOUND',
  })
  for (const id of [memberId, crypto.randomUUID(), 'not-an-id']) {
    await expect(changeMemberRole(stranger, id, { role: 'OWNER' })).rejects.toMatchObject({
      code: 'SLUICE_MEMBER_NOT_FOUND',
    })
    await expect(removeMember(stranger, id)).rejects.toMatchObject({
      code: 'SLUICE_MEMBER_NOT_FOUND',
    })
  }
  await expect(memberPage(stranger, organizationId, {})).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_NOT_FOUND',
  })
})

test.for(['VIEWER', 'DEVELOPER'] as const)(
  'a %s changes no members but may leave',
  async (role) => {
    await using world = await openWorld()
    const { owner, other, organizationId, memberId } = await team(world, role)
    const context = await other.context()
    const ownersId = await memberIdOf(world, organizationId, owner)

    await expect(
      inviteMember(context, organizationId, owner.email, { role }),
    ).rejects.toMatchObject({
      code: 'SLUICE_FORBIDDEN',
    })
    await expect(changeMemberRole(context, memberId, { role: 'OWNER' })).rejects.toMatchObject({
      code: 'SLUICE_FORBIDDEN',
    })
    await expect(removeMember(context, ownersId)).rejects.toMatchObject({
      code: 'SLUICE_FORBIDDEN',
    })
    await expect(removeMember(context, memberId)).resolves.toBe(memberId)
  },
)

test('an admin neither makes nor unmakes owners', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world, 'ADMIN')
  const context = await other.context()
  const third = await world.person()
  const ownersId = await memberIdOf(world, organizationId, owner)

  // Made before anything is asked: what is refused meanwhile would be nobody's rejection.
  const [inviting, raising, lowering, removing] = [
    await other.context(),
    await other.context(),
    await other.context(),
    await other.context(),
  ]

  const answers = await Promise.allSettled([
    inviteMember(inviting, organizationId, third.email, { role: 'OWNER' }),
    changeMemberRole(raising, memberId, { role: 'OWNER' }),
    changeMemberRole(lowering, ownersId, { role: 'VIEWER' }),
    removeMember(removing, ownersId),
  ])

  expect(codesOf(answers)).toEqual(answers.map(() => 'SLUICE_FORBIDDEN'))
  await expect(
    inviteMember(context, organizationId, third.email, { role: 'ADMIN' }),
  ).resolves.toBeDefined()
})

test('the last owner can neither leave nor step down', async () => {
  await using world = await openWorld()
  const { owner, organizationId } = await team(world, 'ADMIN')
  const ownersId = await memberIdOf(world, organizationId, owner)

  await expect(removeMember(await owner.context(), ownersId)).rejects.toMatchObject({
    code: 'SLUICE_LAST_OWNER',
  })
  await expect(
    changeMemberRole(await owner.context(), ownersId, { role: 'ADMIN' }),
  ).rejects.toMatchObject({
    code: 'SLUICE_LAST_OWNER',
  })
  const em = forkSystem(world.db.orm)
  expect(await em.count(Member, { organizationId, role: 'OWNER' })).toBe(1)
  expect(await em.count(AuditEntry, { action: 'member.removed' })).toBe(0)
  expect(world.revoked).toEqual([])
})

test('of two owners who leave at once, one stays', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world, 'OWNER')
  const ownersId = await memberIdOf(world, organizationId, owner)
  const contexts = [await owner.context(), await other.context()] as const

  const answers = await Promise.allSettled([
    removeMember(contexts[0], ownersId),
    removeMember(contexts[1], memberId),
  ])

  expect(codesOf(answers).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'done',
    'SLUICE_LAST_OWNER',
  ])
})

test('of two owners who remove each other at once, one is removed', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world, 'OWNER')
  const ownersId = await memberIdOf(world, organizationId, owner)
  const contexts = [await owner.context(), await other.context()] as const

  const answers = await Promise.allSettled([
    removeMember(contexts[0], memberId),
    removeMember(contexts[1], ownersId),
  ])

  expect(codesOf(answers).filter((code) => code === 'done')).toHaveLength(1)
  expect(await forkSystem(world.db.orm).count(Member, { organizationId, role: 'OWNER' })).toBe(1)
})

test('the database itself refuses to take the last owner, also from two connections at once', async () => {
  await using world = await openWorld()
  const { organizationId } = await team(world, 'OWNER')
  const members = await forkSystem(world.db.orm).find(Member, { organizationId })

  const answers = await Promise.allSettled(
    members.map(({ id }) =>
      forkSystem(world.db.orm).execute('delete from identity.member where id = ?', [id]),
    ),
  )

  expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test('whoever is removed loses access and authtokens at once, and everybody is told', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world)
  const { credential: authtoken } = await createAuthtoken(
    await other.context(),
    organizationId,
    'laptop',
  )

  await removeMember(await owner.context(), memberId)

  const { principal } = await other.context()
  const em = forkSystem(world.db.orm)
  expect(principal.memberships.map((one) => one.organizationId)).not.toContain(organizationId)
  expect((await em.findOneOrFail(Authtoken, { id: authtoken.id })).revokedAt).not.toBeNull()
  expect(world.revoked).toEqual([
    `membership:${organizationId}:${other.userId}`,
    `authtoken:${authtoken.id}`,
  ])
})

test('a changed role is audited with both roles and announced; the same role again is neither', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world)

  await changeMemberRole(await owner.context(), memberId, { role: 'ADMIN' })
  await changeMemberRole(await owner.context(), memberId, { role: 'ADMIN' })

  const { em } = await owner.context()
  const entries = await em.find(AuditEntry, { action: 'member.role-changed' })
  expect(entries).toMatchObject([
    { actorName: 'Olga', details: `${other.email} from DEVELOPER to ADMIN`, targetId: memberId },
  ])
  expect(world.revoked).toEqual([`membership:${organizationId}:${other.userId}`])
})

test('an owner who was demoted a moment ago can no longer act on the role they had', async () => {
  await using world = await openWorld()
  const { owner, other, organizationId, memberId } = await team(world, 'OWNER')
  const third = await world.person()
  const stale = await other.context()
  await changeMemberRole(await owner.context(), memberId, { role: 'VIEWER' })
  const ownersId = await memberIdOf(world, organizationId, owner)

  const answers = [
    await Promise.allSettled([removeMember(stale, ownersId)]),
    await Promise.allSettled([
      inviteMember(stale, organizationId, third.email, { role: 'VIEWER' }),
    ]),
    await Promise.allSettled([createAuthtoken(stale, organizationId, 'laptop')]),
  ].flat()

  expect(codesOf(answers)).toEqual(answers.map(() => 'SLUICE_FORBIDDEN'))
})

test('an authtoken manages nobody', async () => {
  await using world = await openWorld()
  const { organizationId, memberId, owner } = await team(world)
  const principal = {
    ...memberOf(organizationId, 'OWNER', owner.userId),
    kind: 'authtoken',
  } as const
  const { context } = world.request({ principal })

  const answers = await Promise.allSettled([
    inviteMember(context, organizationId, 'x@example.test', { role: 'VIEWER' }),
    removeMember(context, memberId),
    createOrganization(context, 'Mine'),
    createAuthtoken(context, organizationId, 'more'),
  ])

  expect(codesOf(answers)).toEqual(answers.map(() => 'SLUICE_FORBIDDEN'))
})

test('the list of members goes on where a page ended', async () => {
  await using world = await openWorld()
  const { owner, organizationId } = await team(world)
  const third = await world.person('Ida')
  await world.join(organizationId, third, 'VIEWER')

  const context = await owner.context()
  const first = await memberPage(context, organizationId, { first: 2 })
  const second = await memberPage(context, organizationId, {
    first: 2,
    after: first.pageInfo.endCursor,
  })

  expect(first.pageInfo.hasNextPage).toBe(true)
  expect(second.pageInfo.hasNextPage).toBe(false)
  expect(new Set([...first.nodes, ...second.nodes].map(({ userId }) => userId)).size).toBe(3)
})
