import type { EventHandlers } from '@sluice/kit/inbox'

import { appendAct } from './audit/append-act.ts'
import { Allowance } from './organization/allowance.entity.ts'

/** What identity keeps of the other subgraphs: how many members a plan allows, and what was done. */
export const incomingEvents = {
  async 'entitlements.changed'(em, { organizationId, entitlements }) {
    const { maxMembers } = entitlements
    await em.upsert(Allowance, { organizationId, maxMembers })
  },

  'act.recorded': appendAct,
} satisfies EventHandlers
