import type { EventHandlers } from '@sluice/kit/inbox'

import { appendAct } from './audit/append-act.ts'
import { mailWebhookDisabled } from './mail/mail-webhook-disabled.ts'
import { Allowance } from './organization/allowance.entity.ts'

/** What identity keeps of the other subgraphs: how many members a plan allows, and what was done. Some of it is mailed. */
export const incomingEvents = {
  async 'entitlements.changed'(em, { organizationId, entitlements }) {
    const { maxMembers } = entitlements
    await em.upsert(Allowance, { organizationId, maxMembers })
  },

  async 'act.recorded'(em, act, envelope) {
    await appendAct(em, act, envelope)
    if (act.action === 'webhook.disabled') await mailWebhookDisabled(em, act)
  },
} satisfies EventHandlers
