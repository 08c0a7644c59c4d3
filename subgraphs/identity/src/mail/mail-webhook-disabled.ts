import type { EntityManager } from '@sluice/kit/database'
import type { EventPayload } from '@sluice/schema/events'

import { mailManagers } from './mail-managers.ts'

/** Tells those who manage the webhooks of an organization that one was switched off by itself. */
export async function mailWebhookDisabled(
  em: EntityManager,
  { organizationId, at }: EventPayload<'act.recorded'>,
): Promise<void> {
  if (organizationId === null) return
  const permission = 'webhooks.manage'
  await mailManagers(em, { kind: 'webhook-disabled', organizationId, permission, at: new Date(at) })
}
