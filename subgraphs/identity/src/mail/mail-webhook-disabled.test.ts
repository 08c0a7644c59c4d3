import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import type { EventEnvelope, EventPayload } from '@sluice/schema/events'
import { permissionSet } from '@sluice/schema/permissions'
import { expect, test } from 'vitest'

import { incomingEvents } from '../incoming-events.ts'
import { Member } from '../organization/member.entity.ts'
import { Organization } from '../organization/organization.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'
import { openWorld } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { Mail } from './mail.entity.ts'
import { sendDueMails } from './send-mails.ts'

test('those who manage webhooks are told that one was switched off, and nobody else', async () => {
  await using world = await openWorld()
  const { db, deps } = world
  const owner = await world.person('Owner')
  const { organizationId } = owner
  await world.tellEntitlements(organizationId, { maxMembers: 10 })
  const admin = await world.person('Admin')
  const developer = await world.person('Developer')
  const custom = await world.person('Custom')
  const suspended = await world.person('Suspended')
  await world.join(organizationId, admin, 'ADMIN')
  await world.join(organizationId, developer, 'DEVELOPER')
  await world.join(organizationId, custom, 'VIEWER')
  await world.join(organizationId, suspended, 'ADMIN')
  const em = forkSystem(db.orm)
  const role = em.create(CustomRole, {
    organizationId,
    name: 'Hooks',
    description: '',
    permissions: permissionSet(['webhooks.read', 'webhooks.manage']),
    createdAt: deps.now(),
    updatedAt: deps.now(),
  })
  await em.flush()
  const ofCustom = { organizationId, userId: custom.userId }
  await em.nativeUpdate(Member, ofCustom, { customRoleId: role.id })
  await em.nativeUpdate(User, { id: suspended.userId }, { suspendedAt: deps.now() })
  const act = (action: string): EventPayload<'act.recorded'> => ({
    organizationId,
    action,
    actor: { kind: 'system', id: null, userId: null },
    target: { type: 'webhook', id: crypto.randomUUID() },
    details: 'it answered 410 Gone',
    ip: null,
    at: deps.now().toISOString(),
  })
  const hear = (payload: EventPayload<'act.recorded'>) => {
    const id = crypto.randomUUID()
    const envelope = { id, name: 'act.recorded', entity: '', version: 1, occurredAt: '', payload }
    return forkSystem(db.orm).transactional((own) =>
      incomingEvents['act.recorded'](own, payload, envelope satisfies EventEnvelope),
    )
  }

  await hear(act('webhook.changed'))
  await hear(act('webhook.disabled'))
  await hear(act('webhook.disabled'))

  const mails = () => forkSystem(db.orm).find(Mail, { kind: 'webhook-disabled' })
  const told = (await mails()).map(({ address }) => address)
  expect(told.toSorted()).toEqual([owner.email, admin.email, custom.email].toSorted())

  const { orm, now, consoleOrigin } = deps
  const sender = { orm, now, consoleOrigin, transport: null, log: silentLog }
  while ((await sendDueMails(sender)) > 0);
  const { slug } = await em.findOneOrFail(Organization, { id: organizationId })
  for (const { text, outcome } of await mails()) {
    expect(outcome).toBe('kept')
    expect(text).toContain(`${consoleOrigin}/o/${slug}/webhooks`)
  }
})
