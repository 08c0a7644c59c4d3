import { forkSystem } from '@sluice/kit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openWorld, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { AuditEntry } from './audit-entry.entity.ts'
import { recordAct } from './audit.ts'
import { exportLines } from './export-audit.ts'
import { auditIntegrity } from './integrity.ts'
import { sealEntries } from './seal-entries.ts'
import { exportedRecords, searchAudit } from './search-audit.ts'
import { signedHeadsOf, signHeads } from './signed-heads.ts'

let world: World
let staff: Person
let ada: Person
beforeAll(async () => {
  world = await openWorld()
  staff = await world.person('Staff')
  ada = await world.person()
  const em = forkSystem(world.db.orm)
  await em.nativeUpdate(User, { id: staff.userId }, { isAdmin: true })
  for (const id of ['192.0.2.0/24', '198.51.100.0/24']) {
    recordAct(em, {
      action: 'network.unblocked',
      actor: { id: staff.userId, name: 'Staff' },
      organizationId: null,
      target: { type: 'network', id },
      ip: '192.0.2.1',
      at: world.deps.now(),
    })
  }
  await em.flush()
  while ((await sealEntries(world.db.orm)) > 0);
})
afterAll(() => world[Symbol.asyncDispose]())

test('staff reads, searches, exports and verifies what was done outside organizations, and nothing else', async () => {
  const context = await staff.context()
  const { nodes } = await searchAudit(context, null, {})
  expect(nodes.filter(({ action }) => action === 'network.unblocked')).toHaveLength(2)
  expect(nodes.filter(({ organizationId }) => organizationId !== null)).toEqual([])
  expect(nodes.every(({ sequence }) => sequence !== null)).toBe(true)
  const some = await searchAudit(context, null, { target: '192.0.2.0/24' })
  expect(some.nodes.map(({ targetId }) => targetId)).toEqual(['192.0.2.0/24'])

  const em = forkSystem(world.db.orm)
  const lines = await Array.fromAsync(exportLines(exportedRecords(em, null), 'jsonl'))
  const exported = lines.join('').trim().split('\n')
  expect(exported).toHaveLength(nodes.length)

  const { orm, now, headKeys: keys } = world.deps
  await signHeads({ orm, now, keys, objects: undefined })
  const [head] = await signedHeadsOf(context, null)
  expect(head).toMatchObject({ sequence: nodes.length })
  const verified = await auditIntegrity(context, null)
  expect(verified).toMatchObject({ ok: true, count: nodes.length, firstBad: null })
  expect(verified.signedHead?.sequence).toBe(nodes.length)
})

test('members, also owners, have nothing to do with it', async () => {
  const context = await ada.context()
  const refusal = { code: 'SLUICE_FORBIDDEN' }
  await expect(searchAudit(context, null, {})).rejects.toMatchObject(refusal)
  await expect(auditIntegrity(context, null)).rejects.toMatchObject(refusal)
  await expect(signedHeadsOf(context, null)).rejects.toMatchObject(refusal)
})

test('whoever changes the platform’s chain is found', async () => {
  const em = forkSystem(world.db.orm)
  const entry = await em.findOneOrFail(AuditEntry, { targetId: '192.0.2.0/24' })
  await em.execute('alter table identity.audit_entry disable trigger user')
  await em.nativeUpdate(AuditEntry, { id: entry.id }, { details: 'nothing of note' })
  await em.execute('alter table identity.audit_entry enable trigger user')

  const { ok, firstBad } = await auditIntegrity(await staff.context(), null)

  expect(ok).toBe(false)
  expect(firstBad).toMatchObject({ fault: 'CHANGED', entryId: entry.id })
})
