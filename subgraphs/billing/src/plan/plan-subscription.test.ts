import { anonymous } from '@sluice/kit/principal'
import { memberOf } from '@sluice/kit/testing'
import { Entitlements } from '@sluice/schema/events'
import { expect, test } from 'vitest'

import { createWorld } from '../testing/world.ts'
import { changePlan, ensureSubscriptions } from './plan-subscription.ts'
import { firstPlanId, plans } from './plans.ts'

const coded = (code: string) => expect.objectContaining({ code })

test('every plan is a valid set of entitlements, and none allows less than the one before', () => {
  for (const [index, plan] of plans.entries()) {
    expect(Entitlements.parse(plan.entitlements)).toEqual(plan.entitlements)
    const before = plans[index - 1]
    if (!before) continue
    for (const key of Object.keys(plan.entitlements) as (keyof Entitlements)[]) {
      expect(Number(plan.entitlements[key])).toBeGreaterThanOrEqual(
        Number(before.entitlements[key]),
      )
    }
  }
  expect(plans[0]?.id).toBe(firstPlanId)
})

test('an organization is subscribed once, however many notice that it is missing', async () => {
  const { system, acme, globex, events } = await createWorld()

  await Promise.all(
    [
      [acme, globex],
      [globex, acme],
      [acme, acme],
    ].map((ids) => system().transactional((em) => ensureSubscriptions(em, ids))),
  )

  const told = await events()
  expect(told.map(({ name, entity }) => `${name} ${entity}`).toSorted()).toEqual(
    [acme, globex].map((id) => `entitlements.changed organization:${id}`).toSorted(),
  )
  expect(told[0]?.payload).toMatchObject({
    planId: 'free',
    entitlements: { maxTunnels: 3, maxCustomDomains: 1 },
  })
})

test('a change of plan tells its entitlements, and keeps the beginning', async () => {
  const { asAdmin, acme, subscribe, events } = await createWorld()
  await subscribe(acme, '2026-11-05T17:30:00Z')

  const changed = await changePlan(asAdmin(), { organizationId: acme, planId: 'pro' })
  await changePlan(asAdmin(), { organizationId: acme, planId: 'pro' })

  expect(changed).toMatchObject({ planId: 'pro', startedAt: new Date('2026-11-05T17:30:00Z') })
  expect(await events()).toMatchObject([
    {
      name: 'entitlements.changed',
      payload: { organizationId: acme, planId: 'pro', entitlements: { maxTunnels: 50 } },
    },
  ])
})

test('of changes at once, the last event tells the plan that stays', async () => {
  const { asAdmin, system, acme, subscribe, events } = await createWorld()
  await subscribe(acme, '2026-11-05T17:30:00Z')

  await Promise.all(
    ['starter', 'pro', 'business', 'free'].map((planId) =>
      changePlan(asAdmin(), { organizationId: acme, planId }),
    ),
  )

  const [row] = await system().execute<{ plan_id: string }[]>(
    'select plan_id from billing.plan_subscription',
  )
  expect((await events()).at(-1)?.payload['planId']).toBe(row?.plan_id)
})

test('only staff of the platform changes a plan', async () => {
  const { contextFor, asAcme, acme, subscribe } = await createWorld()
  await subscribe(acme, '2026-11-05T17:30:00Z')
  const change = (context: ReturnType<typeof contextFor>) =>
    changePlan(context, { organizationId: acme, planId: 'business' })
  const stolen = { ...memberOf(acme), kind: 'authtoken' as const, isAdmin: true }

  await expect(change(asAcme())).rejects.toThrow(coded('SLUICE_FORBIDDEN'))
  await expect(change(contextFor(stolen))).rejects.toThrow(coded('SLUICE_FORBIDDEN'))
  await expect(change(contextFor(anonymous))).rejects.toThrow(coded('SLUICE_UNAUTHENTICATED'))
})

test('a plan or an organization that does not exist is told by name', async () => {
  const { asAdmin, acme, globex, subscribe } = await createWorld()
  await subscribe(acme, '2026-11-05T17:30:00Z')
  const change = (organizationId: string, planId: string) =>
    changePlan(asAdmin(), { organizationId, planId })

  await expect(change(acme, 'platinum')).rejects.toThrow(coded('SLUICE_PLAN_NOT_FOUND'))
  await expect(change(globex, 'pro')).rejects.toThrow(coded('SLUICE_ORGANIZATION_NOT_FOUND'))
  await expect(change('nobody', 'pro')).rejects.toThrow(coded('SLUICE_ORGANIZATION_NOT_FOUND'))
})
