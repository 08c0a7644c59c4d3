import { LockMode } from '@mikro-orm/core'
import { system } from '@sluice/kit/audit'
import { defineJob } from '@sluice/kit/job'
import { z } from 'zod'

import type { JobDeps } from '../job-deps.ts'
import { PlanSubscription } from './plan-subscription.entity.ts'
import { recordEntitlements, recordPlanAct } from './plan-subscription.ts'
import { plansVersion } from './plans.ts'

const subscriptionsMax = 200

/** Tells every organization's entitlements again after a release that changed what plans allow. */
export const tellEntitlements = defineJob({
  name: 'entitlements.tell',
  payload: z.object({}),

  async run(_payload, { em }: JobDeps, signal) {
    for (;;) {
      const told = await em().transactional(async (inside) => {
        const behind = await inside.find(
          PlanSubscription,
          { $or: [{ toldVersion: null }, { toldVersion: { $ne: plansVersion } }] },
          { limit: subscriptionsMax, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
        )
        for (const subscription of behind) {
          subscription.toldVersion = plansVersion
          recordEntitlements(inside, subscription)
          const { organizationId, planId } = subscription
          const action = 'entitlements.changed'
          recordPlanAct(inside, { action, actor: system, organizationId, planId })
        }
        return behind.length
      })
      if (told < subscriptionsMax || signal.aborted) return
    }
  },
})
