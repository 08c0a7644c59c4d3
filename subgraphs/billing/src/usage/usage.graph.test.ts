import { anonymous } from '@sluice/kit/principal'
import { memberOf, membershipOf } from '@sluice/kit/testing'
import { execute, parse, type ExecutionResult } from 'graphql'
import { expect, test } from 'vitest'

import type { Context } from '../context.ts'
import { openJobs } from '../jobs.ts'
import { schema } from '../schema.ts'
import { batchOf, createWorld, today } from '../testing/world.ts'

async function run(context: Context, query: string, variableValues: Record<string, unknown> = {}) {
  const answer: ExecutionResult = await execute({
    schema,
    document: parse(query),
    contextValue: context,
    variableValues,
  })
  expect(answer.errors).toBeUndefined()
  // A copy without the null prototypes of graphql-js.
  return JSON.parse(JSON.stringify(answer.data)) as Record<string, unknown>
}

const organizations = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
  ... on Organization {
    plan { id } planSubscription { startedAt periodStart periodEnd plan { name } } entitlements { maxTunnels }
    usage { periodStart periodEnd tunnels { used limit } requests { used limit } bytes { used limit } }
  } } }`

function represent(ids: string[], typename = 'Organization') {
  return { representations: ids.map((id) => ({ __typename: typename, id })) }
}

function viewerOf(organizationIds: string[]) {
  const memberships = organizationIds.map((organizationId) =>
    membershipOf(organizationId, 'VIEWER'),
  )
  return { ...memberOf(crypto.randomUUID()), memberships }
}

test('plan, entitlements and usage of an organization are what was counted', async () => {
  const { db, asAcme, acme, subscribe, tunnel } = await createWorld()
  await subscribe(acme, '2026-11-05T17:30:00Z', 'starter')
  await tunnel(acme)
  await tunnel(acme)
  const billing = await openJobs({ databaseUrl: db.url, now: () => today })
  await billing.applyUsageBatch(batchOf([acme], { requests: 12 }))
  await billing.jobs.rollUpUsage.run({}, new AbortController().signal)
  await billing.close()

  const data = await run(asAcme(), organizations, represent([acme]))

  const period = {
    periodStart: '2026-11-05T00:00:00.000Z',
    periodEnd: '2026-12-05T00:00:00.000Z',
  }
  expect(data['_entities']).toEqual([
    {
      plan: { id: 'starter' },
      planSubscription: {
        startedAt: '2026-11-05T17:30:00.000Z',
        ...period,
        plan: { name: 'Starter' },
      },
      entitlements: { maxTunnels: 10 },
      usage: {
        ...period,
        tunnels: { used: 2, limit: 10 },
        requests: { used: 12, limit: 200_000 },
        bytes: { used: 120, limit: 25 * 1024 ** 3 },
      },
    },
  ])
})

test('everything about many organizations is three statements', async () => {
  const { db, contextFor, subscribe } = await createWorld()
  const ids = Array.from({ length: 20 }, () => crypto.randomUUID())
  for (const id of ids) await subscribe(id, '2026-11-05T17:30:00Z')
  db.takeStatements()

  const data = await run(contextFor(viewerOf(ids)), organizations, represent(ids))

  // Subscriptions, totals, tunnels.
  expect(db.takeStatements()).toHaveLength(3)
  expect(data['_entities']).toHaveLength(20)
})

test('an organization that was never heard of is on the first plan at once, and told so once', async () => {
  const { contextFor, events } = await createWorld()
  const ids = [crypto.randomUUID(), crypto.randomUUID()]
  const ask = () => run(contextFor(viewerOf(ids)), organizations, represent(ids))

  const [first, second] = await Promise.all([ask(), ask()])

  expect(first).toEqual(second)
  expect(first['_entities']).toMatchObject([{ plan: { id: 'free' } }, { plan: { id: 'free' } }])
  expect(await events()).toHaveLength(2)
})

test('a foreign organization shows nothing, also by its subscription', async () => {
  const { system, asAcme, globex, subscribe } = await createWorld()
  await subscribe(globex, '2026-11-05T17:30:00Z')
  const [row] = await system().execute<{ id: string }[]>('select id from billing.plan_subscription')

  const organization = await run(asAcme(), organizations, represent([globex]))
  const subscription = await run(
    asAcme(),
    'query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }',
    represent([row?.id ?? '', 'not a uuid'], 'PlanSubscription'),
  )

  expect(organization['_entities']).toEqual([
    { plan: null, planSubscription: null, entitlements: null, usage: null },
  ])
  expect(subscription['_entities']).toEqual([null, null])
})

test('an organization of others is not subscribed by asking for it', async () => {
  const { system, asAcme } = await createWorld()

  await run(asAcme(), organizations, represent([crypto.randomUUID()]))

  expect(await system().execute('select id from billing.plan_subscription')).toEqual([])
})

test('plans are there for everybody, the smallest first', async () => {
  const { contextFor } = await createWorld()

  const data = await run(
    contextFor(anonymous),
    '{ plans { id monthlyPriceMinor currency entitlements { bytesPerPeriod } } }',
  )

  const list = data['plans'] as { id: string; monthlyPriceMinor: number }[]
  expect(list.map(({ id }) => id)).toEqual(['free', 'starter', 'pro', 'business'])
  expect(list[0]).toEqual({
    id: 'free',
    monthlyPriceMinor: 0,
    currency: 'USD',
    entitlements: { bytesPerPeriod: 1024 ** 3 },
  })
})
