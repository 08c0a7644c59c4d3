import { freeEntitlements } from '@sluice/schema/events'
import { redisChannels } from '@sluice/schema/redis'
import { expect, test, vi } from 'vitest'

import { Organization } from '../organization/organization.entity.ts'
import { openWorld, recordOf, type World, waitMs } from '../testing/world.ts'
import { CapturedRequest } from './captured-request.entity.ts'
import { dropExpiredRequests } from './drop-expired-requests.ts'
import { keepPartitions } from './keep-partitions.ts'
import { createPartitions, dayOf, daysAfter, listPartitions } from './partition.ts'
import { storeRequests } from './store-requests.ts'

const tunnelId = crypto.randomUUID()
const dayMs = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * dayMs).toISOString()
const run = (world: World, job: typeof keepPartitions) =>
  job.run({}, world.jobDeps, AbortSignal.timeout(10_000))

test('a request is stored once however often and however parallel its batch comes', async () => {
  await using world = await openWorld()
  const records = Array.from({ length: 20 }, () => recordOf(world.acme.id, tunnelId))

  const results = await Promise.all(
    [records, records, records.slice(5)].map((some) => storeRequests(world.jobDeps, some)),
  )

  expect(results.map(({ stored }) => stored).reduce((sum, one) => sum + one)).toBe(20)
  expect(await world.em().count(CapturedRequest)).toBe(20)
})

test('what is stored is what the relay sent', async () => {
  await using world = await openWorld()
  const record = recordOf(world.acme.id, tunnelId, {
    firstByteMs: null,
    requestBytes: 5_000_000_000,
    path: `/a?b=1&c='d'&e="f"\\?g=$1&h=:i&j=??`,
  })

  await storeRequests(world.jobDeps, [record])

  const { startedAt, sequence, ...stored } = await world
    .em()
    .findOneOrFail(CapturedRequest, { id: record.id })
  expect({ ...stored, startedAt: startedAt.toISOString() }).toEqual({
    ...record,
    requestBody: null,
    responseBody: null,
  })
  expect(Number(sequence)).toBeGreaterThan(0)
})

test('live readers of each organization are told the ids of theirs', async () => {
  await using world = await openWorld()
  const told: unknown[] = []
  for (const { id } of [world.acme, world.globex]) {
    await world.parts.hub.subscribe(redisChannels.requestsStored(id), (text) => {
      told.push([id, JSON.parse(text)])
    })
  }
  const ours = recordOf(world.acme.id, tunnelId)
  const theirs = recordOf(world.globex.id, tunnelId)

  await storeRequests(world.jobDeps, [ours, theirs])

  await vi.waitFor(() => expect(told).toHaveLength(2), waitMs)
  expect(told).toEqual(
    expect.arrayContaining([
      [world.acme.id, { requestIds: [ours.id] }],
      [world.globex.id, { requestIds: [theirs.id] }],
    ]),
  )
})

test('what cannot be stored does not stop the rest of its batch', async () => {
  await using world = await openWorld()
  const good = recordOf(world.acme.id, tunnelId, {
    path: '/nul\0and\uD800half',
    requestHeaders: [['x-odd', 'a\0b']],
  })

  const result = await storeRequests(world.jobDeps, [
    good,
    recordOf('no organization', tunnelId),
    recordOf(world.acme.id, tunnelId, { startedAt: ago(400) }),
    recordOf(world.acme.id, tunnelId, { startedAt: ago(-2) }),
  ])

  expect(result).toEqual({ stored: 1, repeated: 0, dropped: 3 })
  const stored = await world.em().findOneOrFail(CapturedRequest, { id: good.id })
  expect(stored.path).toBe('/nuland\uFFFDhalf')
})

test('each day has a partition, made when it is first needed or ahead of it', async () => {
  await using world = await openWorld()
  await storeRequests(world.jobDeps, [
    recordOf(world.acme.id, tunnelId, { startedAt: ago(3) }),
    recordOf(world.acme.id, tunnelId),
  ])

  await Promise.all([run(world, keepPartitions), run(world, keepPartitions)])

  const today = dayOf(new Date())
  const days = [-3, 0, 1, 2].map((ahead) => daysAfter(today, ahead))
  expect(await listPartitions(world.em())).toEqual(expect.arrayContaining(days))
})

test('retention drops the days nobody keeps and the rows beyond each plan', async () => {
  await using world = await openWorld()
  const { acme, globex } = world
  await world.em().insert(Organization, {
    organizationId: acme.id,
    planId: 'pro',
    entitlements: { ...freeEntitlements, requestLogDays: 5 },
  })
  const kept = [
    recordOf(acme.id, tunnelId, { startedAt: ago(4) }),
    recordOf(acme.id, tunnelId, { startedAt: ago(0.5) }),
    recordOf(globex.id, tunnelId, { startedAt: ago(0.5) }),
  ]
  const expired = [
    recordOf(acme.id, tunnelId, { startedAt: ago(6.5) }),
    recordOf(globex.id, tunnelId, { startedAt: ago(1.5) }),
  ]
  await storeRequests(world.jobDeps, [...kept, ...expired])
  await createPartitions(world.em(), ['2020-01-01'])

  await run(world, dropExpiredRequests)

  const rows = await world.em().find(CapturedRequest, {})
  expect(rows.map(({ id }) => id).toSorted()).toEqual(kept.map(({ id }) => id).toSorted())
  expect((await listPartitions(world.em()))[0]).toBe(dayOf(new Date(ago(4))))
})
