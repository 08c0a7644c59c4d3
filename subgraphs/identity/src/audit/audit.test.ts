import { forkSystem } from '@sluice/kit/database'
import { expect, test } from 'vitest'

import { createAuthtoken } from '../authtoken/authtoken.ts'
import { memberPage, removeMember } from '../organization/member.ts'
import { openWorld } from '../testing.ts'
import { searchAudit, type AuditFilter } from './search-audit.ts'

test.for([
  'update identity.audit_entry set actor_name = $$x$$',
  'delete from identity.audit_entry',
  'truncate identity.audit_entry',
])('the database refuses to change the audit: %s', async (statement) => {
  await using world = await openWorld()
  await world.person()

  await expect(forkSystem(world.db.orm).execute(statement)).rejects.toThrow('append-only')
})

test('owners and admins read the audit of their organization, newest first, by action if they like', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  await world.person()
  world.pass(1_000)
  await createAuthtoken(await owner.context(), owner.organizationId, 'laptop')

  const context = await owner.context()
  const all = await searchAudit(context, owner.organizationId, {})
  const some = await searchAudit(context, owner.organizationId, { action: 'organization.created' })

  expect(all.nodes[0]).toMatchObject({
    action: 'authtoken.created',
    details: 'laptop (TUNNELS_START, TUNNELS_READ, REQUESTS_READ)',
  })
  expect(all.nodes).toHaveLength(4)
  expect(some.nodes.map(({ action }) => action)).toEqual(['organization.created'])
})

test('developers, strangers and unknown actions get no audit', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const developer = await world.person()
  const stranger = await world.person()
  await world.join(owner.organizationId, developer)

  for (const [who, action, code] of [
    [developer, null, 'SLUICE_FORBIDDEN'],
    [stranger, null, 'SLUICE_ORGANIZATION_NOT_FOUND'],
    [owner, 'drop table', 'SLUICE_INPUT_INVALID'],
  ] as const) {
    await expect(
      searchAudit(await who.context(), owner.organizationId, { action }),
    ).rejects.toMatchObject({ code })
  }
})

test('a change that fails leaves no entry', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const { nodes: members } = await memberPage(await owner.context(), owner.organizationId, {})
  const leaving = removeMember(await owner.context(), members[0]?.id ?? '')
  await expect(leaving).rejects.toMatchObject({ code: 'SLUICE_LAST_OWNER' })

  const { nodes } = await searchAudit(await owner.context(), owner.organizationId, {
    action: 'member.removed',
  })

  expect(nodes).toEqual([])
})

test('the audit is searched by who, what, when and in words, and by nothing of others', async () => {
  await using world = await openWorld()
  const owner = await world.person('Ada')
  const other = await world.person('Grace')
  const before = world.deps.now()
  world.pass(60_000)
  await createAuthtoken(await owner.context(), owner.organizationId, 'build-server')
  world.pass(60_000)
  await createAuthtoken(await owner.context(), owner.organizationId, 'laptop')
  await createAuthtoken(await other.context(), other.organizationId, 'laptop')
  const context = await owner.context()
  const found = async (filter: AuditFilter) => {
    const { nodes } = await searchAudit(context, owner.organizationId, filter)
    return nodes.map(({ action, details }) => details?.split(' ')[0] ?? action)
  }
  const [newest] = (await searchAudit(context, owner.organizationId, {})).nodes

  expect(await found({ text: 'laptop' })).toEqual(['laptop'])
  expect(await found({ text: 'serv BUILD' })).toEqual(['build-server'])
  expect(await found({ text: `' | ! :* \\ laptop` })).toEqual(['laptop'])
  expect(await found({ text: 'nothing of it' })).toEqual([])
  expect(await found({ actor: 'ad', from: before, target: 'authtoken' })).toEqual([
    'laptop',
    'build-server',
  ])
  expect(await found({ actor: other.userId })).toEqual([])
  expect(await found({ actor: 'Grace' })).toEqual([])
  expect(await found({ target: newest?.targetId ?? '' })).toEqual(['laptop'])
  expect(await found({ target: 'authtoken', to: new Date(before.getTime() + 90_000) })).toEqual([
    'build-server',
  ])
  expect(await found({ actor: owner.userId, action: 'authtoken.created' })).toHaveLength(2)
  await expect(found({ text: 'x'.repeat(201) })).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
})

test('pages of a search follow each other without a gap', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await createAuthtoken(await owner.context(), owner.organizationId, name)
  }
  const context = await owner.context()
  const names: string[] = []
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<typeof searchAudit>> = await searchAudit(
      context,
      owner.organizationId,
      { target: 'authtoken', first: 2, after },
    )
    names.push(...page.nodes.map(({ details }) => details?.slice(0, 1) ?? ''))
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  } while (after !== null)
  expect(names.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e'])
})
