import { JobPayloadError } from '@sluice/kit/job'
import { expect, onTestFinished, test, vi } from 'vitest'

import { openJobs } from '../jobs.ts'
import { batchOf, createWorld, today } from '../testing/world.ts'

async function createUsageWorld() {
  const world = await createWorld()
  const open = async () => {
    const opened = await openJobs({ databaseUrl: world.db.url, now: () => today })
    onTestFinished(() => opened.close())
    return opened
  }
  const billing = await open()
  const { signal } = new AbortController()
  return {
    ...world,
    open,
    billing,
    apply: billing.applyUsageBatch,
    rollUp: () => billing.jobs.rollUpUsage.run({}, signal),
    prune: () => billing.jobs.pruneUsage.run({}, signal),
  }
}

test('a batch that is delivered many times, also at once, counts once', async () => {
  const { acme, subscribe, apply, rollUp, totals } = await createUsageWorld()
  await subscribe(acme, '2026-11-05T17:30:00Z')
  const batch = batchOf([acme], { requests: 7 })

  const answers = await Promise.all([apply(batch), apply(batch), apply(batch)])
  await rollUp()
  answers.push(await apply(batch))
  await rollUp()

  expect(answers.toSorted()).toEqual(['counted', 'known', 'known', 'known'])
  expect(await totals()).toEqual([
    { organizationId: acme, periodStart: '2026-11-05T00:00:00.000Z', requests: 7, bytes: 70 },
  ])
})

test('many batches at once lose no count, while totals are summed beside them', async () => {
  const { acme, globex, subscribe, apply, rollUp, totals } = await createUsageWorld()
  await subscribe(acme, '2026-11-05T17:30:00Z')
  await subscribe(globex, '2026-11-05T17:30:00Z')
  const tunnelIds = Array.from({ length: 3 }, () => crypto.randomUUID())

  const deliver = async (index: number) => {
    const tunnelId = tunnelIds[index % 3] ?? ''
    const organizationIds = index % 2 === 0 ? [acme, globex] : [globex, acme]
    await apply(batchOf(organizationIds, { tunnelId, requests: 2 }))
    if (index % 10 === 0) await rollUp()
  }
  await Promise.all(Array.from({ length: 60 }, (_, index) => deliver(index)))
  await rollUp()

  expect((await totals()).map(({ requests, bytes }) => [requests, bytes])).toEqual([
    [120, 1_200],
    [120, 1_200],
  ])
})

test('totals wait for counts in the order in which batches lock them', async () => {
  const { acme, globex, db, subscribe, apply, rollUp, totals } = await createUsageWorld()
  const [first = '', second = ''] = [acme, globex].toSorted()
  await subscribe(second, '2026-11-05T17:30:00Z')
  await subscribe(first, '2026-11-05T17:30:00Z')
  await apply(batchOf([second]))
  await apply(batchOf([first]))

  // A batch under way holds the first organization's count and will ask for the second's.
  const summed = await db.orm.em.fork().transactional(async (batch) => {
    const lock = 'select 1 from billing.usage_hour where organization_id = ? for update nowait'
    await batch.execute(lock, [first])
    const summing = rollUp()
    await vi.waitFor(async () => {
      const waiting = await db.orm.em
        .fork()
        .execute<unknown[]>(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
      expect(waiting).toHaveLength(1)
    }, 15_000)
    expect(await batch.execute(lock, [second])).toHaveLength(1)
    return { summing }
  })
  await summed.summing

  expect((await totals()).map(({ requests }) => requests)).toEqual([1, 1])
})

test('a late batch lands in the period of its own time', async () => {
  const { acme, subscribe, apply, rollUp, totals } = await createUsageWorld()
  await subscribe(acme, '2026-08-05T17:30:00Z')

  await apply(batchOf([acme], { requests: 5 }))
  await rollUp()
  await apply(batchOf([acme], { requests: 3, at: '2026-11-04T23:59:59Z' }))
  await apply(batchOf([acme], { requests: 2, at: '2026-11-05T00:00:00Z' }))
  await rollUp()

  expect((await totals()).map(({ periodStart, requests }) => [periodStart, requests])).toEqual([
    ['2026-10-05T00:00:00.000Z', 3],
    ['2026-11-05T00:00:00.000Z', 7],
  ])
})

test('a relay whose clock is ahead counts in the current period', async () => {
  const { acme, subscribe, apply, rollUp, totals } = await createUsageWorld()
  await subscribe(acme, '2026-11-05T17:30:00Z')

  await apply(batchOf([acme], { at: '2027-06-01T00:00:00Z' }))
  await rollUp()

  expect(await totals()).toMatchObject([{ periodStart: '2026-11-05T00:00:00.000Z' }])
})

test('usage of an organization whose creation was not heard yet is counted', async () => {
  const { acme, apply, rollUp, totals, events } = await createUsageWorld()

  await apply(batchOf([acme]))
  await rollUp()

  expect(await totals()).toMatchObject([{ organizationId: acme, requests: 1 }])
  expect(await events()).toMatchObject([{ name: 'entitlements.changed' }])
})

test('two workers that sum at once leave the same totals', async () => {
  const { acme, globex, apply, open, rollUp, totals } = await createUsageWorld()
  for (let index = 0; index < 10; index += 1) await apply(batchOf([acme, globex]))
  const other = await open()

  await Promise.all([rollUp(), other.jobs.rollUpUsage.run({}, new AbortController().signal)])

  expect((await totals()).map(({ requests }) => requests)).toEqual([10, 10])
})

test('figures far beyond 32 bits stay exact', async () => {
  const { acme, apply, rollUp, totals } = await createUsageWorld()

  for (let index = 0; index < 3; index += 1) {
    await apply(batchOf([acme], { requests: 100_000_000_000_000 }))
  }
  await rollUp()

  expect(await totals()).toMatchObject([{ requests: 300_000_000_000_000, bytes: 3e15 }])
})

test('a batch that nobody could recognise any more is refused', async () => {
  const { acme, apply, totals, rollUp } = await createUsageWorld()

  const old = apply(batchOf([acme], { at: '2026-08-01T00:00:00Z' }))
  await expect(old).rejects.toThrow(JobPayloadError)
  await expect(apply(batchOf(['nobody']))).rejects.toThrow(JobPayloadError)
  await rollUp()

  expect(await totals()).toEqual([])
})

test('what is old is forgotten, and totals stay', async () => {
  const { acme, db, billing, system, apply, rollUp, prune, totals } = await createUsageWorld()
  await billing.recordDeadLetter({ stream: 's', entryId: '1-0', text: '', reason: 'malformed' })
  await apply(batchOf([acme]))
  await rollUp()
  await system().execute(
    `update billing.applied_usage_batch set applied_at = applied_at - interval '100 days'`,
  )
  await system().execute(`update billing.usage_hour set hour = hour - interval '14 months'`)
  await system().execute(
    `update billing.usage_dead_letter set received_at = received_at - interval '14 months'`,
  )

  await prune()

  const [left] = await db.orm.em.fork().execute<object[]>(
    `select (select count(*) from billing.applied_usage_batch) as batches,
            (select count(*) from billing.usage_hour) as hours,
            (select count(*) from billing.usage_dead_letter) as letters`,
  )
  expect(left).toEqual({ batches: '0', hours: '0', letters: '0' })
  expect(await totals()).toHaveLength(1)
})

test('a dead letter is kept once, with its reason', async () => {
  const { billing, system } = await createUsageWorld()
  const letter = { stream: 'sluice:usage', entryId: '1-0', text: '{"a":"\0"}', reason: 'malformed' }

  await billing.recordDeadLetter(letter)
  await billing.recordDeadLetter(letter)

  expect(await system().execute('select id, text, reason from billing.usage_dead_letter')).toEqual([
    { id: 'sluice:usage 1-0', text: '{"a":""}', reason: 'malformed' },
  ])
})
