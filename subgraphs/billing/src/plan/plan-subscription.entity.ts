import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const PlanSubscriptionSchema = defineEntity({
  name: 'PlanSubscription',
  tableName: 'plan_subscription',
  filters: tenantFilter,
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    /** One per organization: two who notice that it is missing make one. */
    organizationId: p.uuid().unique(),
    planId: p.string().length(32),
    /** Periods are counted from here; a change of plan does not move it. */
    startedAt: p.datetime().onCreate(() => new Date()),
    changedAt: p.datetime().nullable(),
    changedBy: p.uuid().nullable().index(),
    /** When the organization was deleted. The row stays, so that nobody subscribes it anew. */
    endedAt: p.datetime().nullable(),
    /** The `plansVersion` whose entitlements the others were last told. */
    toldVersion: p.string().length(16).nullable(),
  },
})

/** The plan an organization has. */
export class PlanSubscription extends PlanSubscriptionSchema.class {}
PlanSubscriptionSchema.setClass(PlanSubscription)
