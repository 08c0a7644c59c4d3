import { bindJob } from '@sluice/kit/job'
import { expect, test } from 'vitest'

import { createWorld, today } from '../testing/world.ts'
import { ensureSubscriptions } from './plan-subscription.ts'
import { tellEntitlements } from './tell-entitlements.ts'

test('after a release that changed the plans everybody is told again, once between two workers', async () => {
  const { system, acme, globex, events } = await createWorld()
  await system().transactional((em) => ensureSubscriptions(em, [acme, globex]))
  await system().execute(`update billing.plan_subscription set told_version = 'before'`)
  const job = bindJob(tellEntitlements, { em: system, now: () => today })
  const run = () => job.run({}, new AbortController().signal)

  await Promise.all([run(), run()])
  await run()

  const told = await events()
  expect(
    told
      .slice(2)
      .map(({ entity }) => entity)
      .toSorted(),
  ).toEqual([acme, globex].map((id) => `organization:${id}`).toSorted())
})

test('while plans are what they were, nobody is told anything', async () => {
  const { system, acme, events } = await createWorld()
  await system().transactional((em) => ensureSubscriptions(em, [acme]))
  const before = await events()

  await bindJob(tellEntitlements, { em: system, now: () => today }).run(
    {},
    new AbortController().signal,
  )

  expect(await events()).toEqual(before)
})
