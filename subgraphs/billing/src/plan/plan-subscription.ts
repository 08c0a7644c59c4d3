import { LockMode } from '@mikro-orm/core'
import { actorOf, recordAct, system, type Act } from '@sluice/kit/audit'
import type { EntityManager } from '@sluice/kit/database'
import { recordEvent } from '@sluice/kit/outbox'
import { may } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { PlanSubscription } from './plan-subscription.entity.ts'
import { findPlan, firstPlanId, plansVersion, type Plan } from './plans.ts'

/** Whether plan and usage of an organization may be read: by those whom it lets, and by staff. */
export function mayReadBilling({ principal }: Context, organizationId: string): boolean {
  return principal.isAdmin || may(principal, organizationId, 'billing.read')
}

/** The plan of a subscription. A plan that a release took away counts as the first one. */
export function planOf({ planId }: Pick<PlanSubscription, 'planId'>): Plan {
  const plan = findPlan(planId) ?? findPlan(firstPlanId)
  if (!plan) throw new TypeError('there is no first plan')
  return plan
}

/**
 * Makes the subscriptions that are missing, on the first plan, and tells the others what it allows. Organizations are
 * met in any order of event and request; whoever comes first makes the row. Runs in the caller's transaction.
 */
export async function ensureSubscriptions(
  em: EntityManager,
  organizationIds: readonly string[],
): Promise<void> {
  // In one order everywhere, so that two who insert the same rows wait for each other and not in a circle.
  const ids = Array.from(new Set(organizationIds)).toSorted()
  if (ids.length === 0) return
  const made = await em.execute<{ organization_id: string }[]>(
    `insert into billing.plan_subscription (id, organization_id, plan_id, started_at, told_version)
     values ${ids.map(() => '(gen_random_uuid(), ?, ?, now(), ?)').join(', ')}
     on conflict (organization_id) do nothing returning organization_id`,
    ids.flatMap((id) => [id, firstPlanId, plansVersion]),
  )
  for (const { organization_id: organizationId } of made) {
    recordEntitlements(em, { organizationId, planId: firstPlanId })
    recordPlanAct(em, {
      action: 'plan.started',
      actor: system,
      organizationId,
      planId: firstPlanId,
    })
  }
}

/** Puts an organization on another plan; for staff of the platform. Entitlements follow in the same transaction. */
export async function changePlan(
  { principal, visitorIp, systemEm }: Context,
  { organizationId, planId }: { organizationId: string; planId: string },
): Promise<PlanSubscription> {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  if (principal.kind !== 'user' || !principal.isAdmin) throw new SluiceError('SLUICE_FORBIDDEN')
  if (!findPlan(planId)) throw new SluiceError('SLUICE_PLAN_NOT_FOUND')
  if (!isUuid(organizationId)) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')

  return systemEm().transactional(async (em) => {
    // Held until the end: of two changes at once, the later one's event is numbered later.
    const subscription = await em.findOne(
      PlanSubscription,
      { organizationId, endedAt: null },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    )
    if (!subscription) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
    if (subscription.planId === planId) return subscription
    recordPlanAct(em, {
      action: 'plan.changed',
      actor: actorOf(principal),
      organizationId,
      planId,
      before: subscription.planId,
      ip: visitorIp,
    })
    subscription.planId = planId
    subscription.changedAt = new Date()
    subscription.changedBy = principal.userId
    subscription.toldVersion = plansVersion
    recordEntitlements(em, { organizationId, planId })
    return subscription
  })
}

/** Ends the subscription of an organization that is gone. Once: a second time finds it ended. */
export async function endSubscription(em: EntityManager, organizationId: string): Promise<void> {
  await ensureSubscriptions(em, [organizationId])
  const rows = await em.execute<{ plan_id: string }[]>(
    `update billing.plan_subscription set ended_at = now()
     where organization_id = ? and ended_at is null returning plan_id`,
    [organizationId],
  )
  for (const { plan_id: planId } of rows) {
    recordPlanAct(em, { action: 'plan.ended', actor: system, organizationId, planId })
  }
}

/** Tells the audit which plan holds now, in the transaction that sees to it. */
export function recordPlanAct(
  em: EntityManager,
  act: Pick<Act, 'action' | 'actor' | 'ip'> & {
    organizationId: string
    planId: string
    before?: string
  },
): void {
  const { organizationId, planId, before, ...rest } = act
  recordAct(em, {
    ...rest,
    organizationId,
    target: { type: 'organization', id: organizationId },
    details: before === undefined ? planId : `${before} → ${planId}`,
    at: new Date(),
  })
}

/** Tells the others what an organization may do; the caller holds its subscription. */
export function recordEntitlements(
  em: EntityManager,
  subscription: { organizationId: string; planId: string },
): void {
  const { organizationId, planId } = subscription
  recordEvent(em, 'entitlements.changed', `organization:${organizationId}`, {
    organizationId,
    planId,
    entitlements: planOf(subscription).entitlements,
  })
}
