import type { EventHandlers } from '@sluice/kit/inbox'

import { Allowance } from './organization/allowance.entity.ts'

/** What identity keeps of the other subgraphs: how many members a plan allows. */
export const incomingEvents = {
  async 'entitlements.changed'(em, { organizationId, entitlements }) {
    const { maxMembers } = entitlements
    await em.upsert(Allowance, { organizationId, maxMembers })
  },
} satisfies EventHandlers
