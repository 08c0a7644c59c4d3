import { forkSystem } from '@sluice/kit/database'
import { expect, test } from 'vitest'

import { createAuthtoken } from '../authtoken/authtoken.ts'
import { memberPage, removeMember } from '../organization/member.ts'
import { openWorld } from '../testing.ts'
import { searchAudit } from './search-audit.ts'

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
