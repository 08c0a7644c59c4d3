import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { openRedis } from '@sluice/kit/redis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Anomaly } from '../anomaly/anomaly.entity.ts'
import { defaultWatch } from '../anomaly/open-watch.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { signIn } from '../sign-in/sign-in.ts'
import { signUp } from '../sign-in/sign-up.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { findNetworkBlocks, liftNetworkBlock } from './abuse.ts'
import { createNetworkBlocks } from './network-blocks.ts'

let world: World
let staff: Person
beforeAll(async () => {
  world = await openWorld()
  staff = await world.person('Staff')
  await forkSystem(world.db.orm).nativeUpdate(User, { id: staff.userId }, { isAdmin: true })
})
afterAll(() => world[Symbol.asyncDispose]())

const limited = { code: 'SLUICE_RATE_LIMITED' }
const { failuresMax } = defaultWatch.blocks

async function enter(email: string, ip: string, password = testPassword): Promise<string> {
  return signIn(world.request({ ip }).context, email, password).then(
    () => 'in',
    (error: { code: string }) => error.code,
  )
}

/** Wrong passwords from all over a network, none of whose addresses is limited by itself. */
async function guessFrom(network: string): Promise<void> {
  for (let tried = 0; tried < failuresMax; tried += 1) {
    await enter(`nobody-${tried}@example.test`, `${network}.${tried + 1}`, 'a wrong password')
  }
}

async function personFrom(ip: string): Promise<string> {
  const email = `${crypto.randomUUID()}@example.test`
  await signUp(world.request({ ip }).context, { email, password: testPassword, name: 'Ada' })
  return email
}

test('a network that guesses is kept out, but not those who always sign in from there', async () => {
  const neighbour = await personFrom('203.0.113.200')
  const stranger = await personFrom('198.51.100.1')

  await guessFrom('203.0.113')

  expect(await enter(stranger, '203.0.113.201')).toBe('SLUICE_RATE_LIMITED')
  expect(await enter(neighbour, '203.0.113.202')).toBe('in')
  expect(await enter(stranger, '198.51.100.2')).toBe('in')
  await expect(personFrom('203.0.113.203')).rejects.toMatchObject(limited)
  const blocks = await findNetworkBlocks(await staff.context())
  expect(blocks).toMatchObject([{ network: '203.0.113.0/24', strikes: 1 }])
  await world.deps.anomalies.flush()
  const seen = await forkSystem(world.db.orm).find(Anomaly, { subject: '203.0.113.0/24' })
  expect(seen.map(({ kind }) => kind).toSorted()).toEqual(
    expect.arrayContaining(['network-blocked', 'sign-in-failures']),
  )

  await liftNetworkBlock(await staff.context(), '203.0.113.0/24')
  expect(await enter(stranger, '203.0.113.204')).toBe('in')
  expect(await findNetworkBlocks(await staff.context())).toEqual([])
})

test('a network that goes on guessing is blocked for twice as long', async () => {
  const { blocks } = world.deps
  const block = async () => {
    let last = 0
    for (let tried = 0; tried < failuresMax; tried += 1) {
      last = (await blocks.failed('192.0.2.1')).blockedMs
    }
    return last
  }

  const [first, second] = [await block(), await block()]

  expect(first).toBeGreaterThan(0)
  expect(second).toBe(2 * first)
  expect(await blocks.waitSeconds('192.0.2.77')).toBeGreaterThan(first / 1000)
  expect(await blocks.waitSeconds('192.0.3.77')).toBe(0)
})

test('an account under attack from everywhere stays open to whoever it belongs to', async () => {
  const email = await personFrom('198.51.101.1')
  for (let tried = 0; tried <= attemptLimits.signInByEmail.attemptsMax; tried += 1) {
    await enter(email, `10.${tried}.0.1`, 'a wrong password')
  }

  expect(await enter(email, '10.200.0.1')).toBe('SLUICE_RATE_LIMITED')
  expect(await enter(email, '198.51.101.2')).toBe('in')
})

test('while Redis is away a replica blocks by what it sees itself', async () => {
  const redis = openRedis('redis://127.0.0.1:1', silentLog)
  const blocks = createNetworkBlocks(redis, silentLog, { failuresMax: 3, windowMs: 60_000 })

  for (let tried = 0; tried < 3; tried += 1) await blocks.failed('192.0.2.1')

  expect(await blocks.waitSeconds('192.0.2.9')).toBeGreaterThan(0)
  expect(await blocks.waitSeconds('192.0.3.9')).toBe(0)
  redis.disconnect()
})
