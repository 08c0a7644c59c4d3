import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { openRedis, redisReady } from '@sluice/kit/redis'
import { generatePrivateJwks, openSigningKeys } from '@sluice/kit/signing-keys'
import { openTestRedis } from '@sluice/kit/testing'
import { redisKeys, type ForgeryBatch } from '@sluice/schema/redis'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { authenticate } from '../authenticate/authenticate.ts'
import { createAccessTokens } from '../sign-in/access-token.ts'
import { openWorld, type World } from '../testing.ts'
import { Anomaly } from './anomaly.entity.ts'
import { hearForgeries } from './hear-forgeries.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

async function seen(subject: string) {
  await world.deps.anomalies.flush()
  const kind = 'signature-failed'
  const [found] = await forkSystem(world.db.orm).find(Anomaly, { kind, subject })
  return found && { count: found.count, severity: found.severity, ip: found.ip }
}

test('what any part was shown is one row for staff, severe from a hundred in an hour on', async () => {
  const { url } = await openTestRedis(inject('redisUrl'))
  const redis = openRedis(url, silentLog)
  await redisReady(redis)
  const { anomalies } = world.deps
  const hearing = hearForgeries({ redisUrl: url, anomalies, log: silentLog })
  const tell = (batch: ForgeryBatch | string) =>
    redis.xadd(redisKeys.forgeries, '*', 'batch', JSON.stringify(batch))
  const forged = 'agent token'

  await tell('rubbish')
  await tell({ part: 'relay eu-1', seen: [{ forged, ip: '192.0.2.1', count: 60 }] })
  await tell({ part: 'relay us-1', seen: [{ forged, ip: '192.0.2.9', count: 3 }] })
  await tell({ part: 'relay eu-1', seen: [{ forged, ip: '198.51.100.1', count: 41 }] })

  await expect
    .poll(() => seen('relay eu-1: agent token'), { timeout: 15_000 })
    .toEqual({ count: 101, severity: 'high', ip: '198.51.100.1' })
  expect(await seen('relay us-1: agent token')).toMatchObject({ count: 3, severity: 'medium' })
  await hearing.close()
  redis.disconnect()
})

test('a forged access token is seen, and one that has expired or is none is not', async () => {
  const ip = '203.0.113.7'
  const foreign = createAccessTokens(await openSigningKeys(await generatePrivateJwks()))
  const [userId, signInId] = [crypto.randomUUID(), crypto.randomUUID()]
  const show = (token: string) =>
    expect(
      authenticate(world.deps, { credential: { kind: 'sign-in', token }, ip }),
    ).rejects.toMatchObject({ code: 'SLUICE_UNAUTHENTICATED' })

  await show((await world.deps.accessTokens.issue(userId, signInId, -60)).text)
  await show('rubbish')
  expect(await seen('gateway: access token')).toBeUndefined()

  await show((await foreign.issue(userId, signInId)).text)
  expect(await seen('gateway: access token')).toMatchObject({ count: 1, ip })
})
