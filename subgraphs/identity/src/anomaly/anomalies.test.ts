import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { openRedis, redisReady } from '@sluice/kit/redis'
import { openTestRedis } from '@sluice/kit/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { Mail } from '../mail/mail.entity.ts'
import { refreshSignIn } from '../sign-in/refresh-sign-in.ts'
import { signIn } from '../sign-in/sign-in.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { createAlerts } from './alerts.ts'
import { openAnomalies, purgeAnomalies } from './anomalies.ts'
import { Anomaly } from './anomaly.entity.ts'
import { allAnomalyPage, anomalyPage } from './anomaly.ts'
import { createCredentialNetworks } from './credential-networks.ts'
import type { Place } from './places.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const dayMs = 24 * 60 * 60_000

async function seenBy(person: Person, kind: Anomaly['kind']): Promise<Anomaly[]> {
  await world.deps.anomalies.flush()
  const where = { organizationId: person.organizationId, kind }
  return forkSystem(world.db.orm).find(Anomaly, where)
}

test('a flood is one row with a count, and of many faces only so many are kept', async () => {
  const { anomalies } = world.deps
  for (let seen = 0; seen < 5_000; seen += 1) {
    anomalies.report({ kind: 'rate-limited', subject: 'sign-in', organizationId: null })
    anomalies.report({ kind: 'rate-limited', subject: `face-${seen}`, organizationId: null })
  }
  await anomalies.flush()

  const em = forkSystem(world.db.orm)
  const one = await em.findOneOrFail(Anomaly, { subject: 'sign-in' })
  expect(one).toMatchObject({ count: 5_000, severity: 'high' })
  expect(await em.count(Anomaly, { kind: 'rate-limited' })).toBeLessThanOrEqual(2_000)
  anomalies.report({ kind: 'rate-limited', subject: 'sign-in', organizationId: null })
  await anomalies.flush()
  expect(await em.count(Anomaly, { subject: 'sign-in' })).toBe(1)
})

test('a copied refresh token is severe, recorded though the request failed, and owners are told once', async () => {
  const ada = await world.person()
  const first = world.request({ refreshToken: ada.refreshToken })
  await refreshSignIn(first.context)
  world.pass(60_000)
  await refreshSignIn(world.request({ refreshToken: first.cookie() ?? '' }).context)
  const copied = world.request({ refreshToken: ada.refreshToken }).context
  await expect(refreshSignIn(copied)).rejects.toMatchObject({ code: 'SLUICE_SIGN_IN_REUSED' })

  const [anomaly] = await seenBy(ada, 'refresh-reused')
  expect(anomaly).toMatchObject({ severity: 'high', userId: ada.userId })
  const em = forkSystem(world.db.orm)
  expect(await em.count(Mail, { kind: 'security-anomaly', address: ada.email })).toBe(1)
  const page = await anomalyPage(await ada.context(), ada.organizationId, {}).catch(
    (error: { code: string }) => error.code,
  )
  // Her only sign-in was ended: she sees it once she is back.
  expect(page).toBe('SLUICE_UNAUTHENTICATED')
})

test('a sign-in from another network is seen; from farther than anybody travels it is severe', async () => {
  const places: Record<string, Place> = {
    '192.0.2.1': { latitude: 52.5, longitude: 13.4, radiusKm: 20, country: 'DE' },
    '198.51.100.1': { latitude: 37.8, longitude: -122.4, radiusKm: 20, country: 'US' },
  }
  const ada = await world.person()
  const enter = async (ip: string) => {
    const { context } = world.request({ ip })
    const placed = Object.assign(context, { placeOf: (from: string) => places[from] ?? null })
    return signIn(placed, ada.email, testPassword)
  }
  await enter('192.0.2.1')
  world.pass(60 * 60_000)
  await enter('192.0.2.77')
  world.pass(1_000)
  await enter('192.0.2.1')
  world.pass(1_000)
  await enter('198.51.100.1')

  const [travel] = await seenBy(ada, 'impossible-travel')
  expect(travel).toMatchObject({ severity: 'high', subject: '198.51.100.0/24' })
  expect(travel?.details).toContain('from DE to US')
  const networks = await seenBy(ada, 'new-network')
  expect(networks.map(({ subject }) => subject)).toEqual(['192.0.2.0/24'])
})

test('a sign-in that goes on from farther than anybody travels is severe, and a phone on its way is not', async () => {
  const places: Record<string, Place> = {
    '192.0.2.1': { latitude: 52.5, longitude: 13.4, radiusKm: 20, country: 'DE' },
    '203.0.113.1': { latitude: 53.6, longitude: 10, radiusKm: 20, country: 'DE' },
    '198.51.100.1': { latitude: 37.8, longitude: -122.4, radiusKm: 20, country: 'US' },
  }
  const ada = await world.person()
  const placeOf = (from: string) => places[from] ?? null
  const entered = world.request({ ip: '192.0.2.1' })
  await signIn(Object.assign(entered.context, { placeOf }), ada.email, testPassword)
  let refreshToken = entered.cookie() ?? ''
  const refresh = async (ip: string) => {
    world.pass(15 * 60_000)
    const { context, cookie } = world.request({ ip, refreshToken })
    await refreshSignIn(Object.assign(context, { placeOf }))
    refreshToken = cookie() ?? ''
  }
  await refresh('192.0.2.1')
  await refresh('203.0.113.1')
  expect(await seenBy(ada, 'impossible-travel')).toEqual([])

  await refresh('198.51.100.1')
  // Once is enough: from then on that is where they are.
  await refresh('198.51.100.1')

  expect(await seenBy(ada, 'impossible-travel')).toMatchObject([
    { severity: 'high', subject: '198.51.100.0/24', count: 1 },
  ])
  // That of the sign-in itself.
  expect(await seenBy(ada, 'new-network')).toMatchObject([{ subject: '192.0.2.0/24' }])
})

test('an organization sees its own anomalies and no other’s; staff sees all', async () => {
  const [ada, bob] = [await world.person('Ada'), await world.person('Bob')]
  const { anomalies } = world.deps
  anomalies.report({ kind: 'new-network', subject: 'of-ada', userId: ada.userId })
  await anomalies.flush()

  const own = await anomalyPage(await ada.context(), ada.organizationId, { first: 5 })
  expect(own.nodes.map(({ subject }) => subject)).toEqual(['of-ada'])
  await expect(anomalyPage(await bob.context(), ada.organizationId, {})).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_NOT_FOUND',
  })
  await expect(allAnomalyPage(await bob.context(), {})).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
})

test('a credential is at home where it was in its first days; elsewhere is reported once', async () => {
  await using testRedis = await openTestRedis(inject('redisUrl'))
  const redis = openRedis(testRedis.url, silentLog)
  await redisReady(redis)
  const ada = await world.person()
  const see = createCredentialNetworks(redis, world.deps.anomalies)
  const id = crypto.randomUUID()
  const use = (ip: string) => see({ id, organizationId: ada.organizationId, name: 'ci', ip })
  await use('192.0.2.1')
  await use('198.51.100.1')
  expect(await seenBy(ada, 'token-new-network')).toEqual([])
  await redis.del(`sluice:{seen-${id}}:learning`)

  await use('192.0.2.9')
  await use('203.0.113.1')
  await use('203.0.113.2')

  const seen = await seenBy(ada, 'token-new-network')
  expect(seen).toMatchObject([{ subject: id, count: 1, ip: '203.0.113.1' }])
  redis.disconnect()
})

test('the operator’s webhook hears of a kind once per cooldown, signed', async () => {
  await using testRedis = await openTestRedis(inject('redisUrl'))
  const redis = openRedis(testRedis.url, silentLog)
  await redisReady(redis)
  const key = randomBytes(24)
  const received: { headers: IncomingHttpHeaders; body: string }[] = []
  const arrived = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      response.end()
      arrived.resolve()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const alertOptions = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`,
    secret: `whsec_${key.toString('base64')}`,
    cooldownMs: 60_000,
  }
  const now = () => new Date()
  const alerts = createAlerts(redis, alertOptions, { log: silentLog, now })
  const anomalies = openAnomalies({
    orm: world.db.orm,
    now,
    log: silentLog,
    wakeMail: () => undefined,
    onSevere: (anomaly) => alerts.send(anomaly),
  })
  for (const subject of ['one', 'two', 'three']) {
    anomalies.report({ kind: 'refresh-reused', subject, organizationId: null })
  }
  anomalies.report({ kind: 'new-network', subject: 'mild', organizationId: null })
  await anomalies.close()
  await arrived.promise
  await alerts.close()

  expect(received).toHaveLength(1)
  const { headers, body } = received[0] ?? { headers: {}, body: '' }
  expect(JSON.parse(body)).toMatchObject({
    type: 'security.anomaly',
    data: { kind: 'refresh-reused', severity: 'high' },
  })
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const signature = createHmac('sha256', key).update(signed).digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${signature}`)
  server.close()
  redis.disconnect()
})

test('old anomalies are deleted', async () => {
  const em = forkSystem(world.db.orm)
  world.deps.anomalies.report({ kind: 'new-network', subject: 'old', organizationId: null })
  await world.deps.anomalies.flush()

  await purgeAnomalies(em, new Date(world.deps.now().getTime() + 91 * dayMs))

  expect(await em.count(Anomaly)).toBe(0)
})
