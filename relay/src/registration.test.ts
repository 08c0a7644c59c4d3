import { createLog } from '@sluice/kit/log'
import { expect, test } from 'vitest'

import { openRegistration, retryDelayMs, type RegistrationOptions } from './registration.ts'
import { Sessions } from './sessions.ts'
import { ControlPlane } from './testing/control-plane.ts'

/** A registration that closes with its test, and what it warned of. */
function open(gatewayUrl: string, options: Partial<RegistrationOptions> = {}) {
  const warnings: string[] = []
  const attempts: boolean[] = []
  const log = createLog('relay', 'silent')
  log.warn = (fields: { reason: string }) => warnings.push(fields.reason)
  const registration = openRegistration({
    gatewayUrl,
    relayKey: 'slrk_test',
    relayId: 'relay-1',
    region: 'eu',
    pool: 'default',
    edgeUrl: 'ws://edge.tunnel.test/_sluice/session',
    publicHttpUrl: 'http://tunnel.test',
    version: '1.2.3',
    capacity: 100,
    sessions: new Sessions(),
    connections: () => 7,
    log,
    onAttempt: (answered) => attempts.push(answered),
    onRegistered: () => undefined,
    onDrainOrdered: () => undefined,
    onReplaced: () => undefined,
    heartbeatMs: 5,
    retryFirstMs: 2,
    ...options,
  })
  return { warnings, attempts, registration, [Symbol.dispose]: () => registration.close() }
}

const count = (names: readonly string[], name: string) => names.filter((one) => one === name).length

test('a relay registers with its key, then heartbeats', async () => {
  await using plane = await new ControlPlane().listen()
  using relay = open(plane.url)
  await plane.until(() => plane.asked.length >= 3)

  expect(plane.operations.slice(0, 3)).toEqual([
    'RegisterRelay',
    'HeartbeatRelay',
    'HeartbeatRelay',
  ])
  expect(plane.asked[0]).toMatchObject({
    authorization: 'Bearer slrk_test',
    input: { id: 'relay-1', region: 'eu', version: '1.2.3', capacity: 100 },
  })
  expect(plane.asked[1]?.input).toMatchObject({ id: 'relay-1', draining: false, connections: 7 })
  expect(relay.warnings).toEqual([])
})

test('a relay that the control plane no longer knows registers again', async () => {
  await using plane = await new ControlPlane().listen()
  using relay = open(plane.url)
  await plane.until(() => count(plane.operations, 'HeartbeatRelay') >= 1)
  plane.mood = 'SLUICE_INPUT_INVALID'
  await plane.until(() => count(plane.operations, 'RegisterRelay') >= 2)
  plane.mood = 'well'
  const from = plane.asked.length
  await plane.until(() => plane.operations.slice(from).includes('HeartbeatRelay'))

  expect(plane.operations.slice(from)).toContain('RegisterRelay')
  expect(relay.warnings).toEqual(['SLUICE_INPUT_INVALID'])
  expect(relay.attempts).not.toContain(false)
})

test('a key that is refused is said once, and is no outage', async () => {
  await using plane = await new ControlPlane().listen()
  plane.mood = 'SLUICE_RELAY_KEY_INVALID'
  using relay = open(plane.url)
  await plane.until(() => plane.asked.length >= 5)

  expect(relay.warnings).toEqual(['SLUICE_RELAY_KEY_INVALID'])
  expect(relay.attempts).not.toContain(false)
})

test('a control plane that cuts connections or cannot reach its database is away', async () => {
  await using plane = await new ControlPlane().listen()
  plane.mood = 'away'
  using relay = open(plane.url)
  await plane.until(() => plane.asked.length >= 3)
  plane.mood = 'SLUICE_SUBGRAPH_UNAVAILABLE'
  await plane.until(() => plane.asked.length >= 5)

  expect(relay.attempts.slice(0, 4)).toEqual([false, false, false, false])
  expect(relay.warnings.length).toBe(1)
})

test('retries double up to a bound, and each relay takes its own part of it', () => {
  const longest = [1, 2, 3, 4, 20].map((failures) => retryDelayMs(failures, 500, () => 1))
  const shortest = [1, 2, 3, 4, 20].map((failures) => retryDelayMs(failures, 500, () => 0))

  expect(longest).toEqual([500, 1_000, 2_000, 4_000, 15_000])
  expect(shortest).toEqual([250, 500, 1_000, 2_000, 7_500])
})

test('a relay that drains says so at once', async () => {
  await using plane = await new ControlPlane().listen()
  using relay = open(plane.url, { heartbeatMs: 60_000 })
  await plane.until(() => plane.asked.length >= 2)
  while (relay.attempts.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await relay.registration.drain()

  expect(plane.asked.at(-1)?.input).toMatchObject({ draining: true })
})

test('an order to drain is carried out once, and a word of newer sessions each time', async () => {
  await using plane = await new ControlPlane().listen()
  plane.orders = { drain: true, replacedSessionIds: ['session-1'] }
  let drains = 0
  const replaced: string[] = []
  using _relay = open(plane.url, {
    onDrainOrdered: () => (drains += 1),
    onReplaced: (ids) => replaced.push(...ids),
  })
  await plane.until(() => count(plane.operations, 'HeartbeatRelay') >= 4)

  expect(drains).toBe(1)
  expect(replaced.slice(0, 2)).toEqual(['session-1', 'session-1'])
})
