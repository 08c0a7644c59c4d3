import type { EntityManager } from '@sluice/kit/database'
import type { EventPayload } from '@sluice/schema/events'

import { mailManagers } from './mail-managers.ts'
import { Mail } from './mail.entity.ts'

/** Whoever switches an endpoint on again and again mails the others no more often than this. */
const quietMs = 60 * 60_000

/** Tells those who manage the webhooks of an organization that one was switched off by itself. */
export async function mailWebhookDisabled(
  em: EntityManager,
  { organizationId, at }: EventPayload<'act.recorded'>,
): Promise<void> {
  if (organizationId === null) return
  const [kind, permission] = ['webhook-disabled', 'webhooks.manage'] as const
  const told = new Date(at)
  const createdAt = { $gt: new Date(told.getTime() - quietMs) }
  if ((await em.count(Mail, { kind, aboutOrganizationId: organizationId, createdAt })) > 0) return
  await mailManagers(em, { kind, organizationId, permission, at: told })
}
