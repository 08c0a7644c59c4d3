import { gzipSync } from 'node:zlib'

import { memberOf } from '@sluice/kit/testing'
import { redisKeys, type RequestRecord } from '@sluice/schema/redis'
import { expect, test } from 'vitest'

import { codeOf, openWorld, recordOf, type World } from '../testing/world.ts'
import { createTunnel } from '../tunnel/create-tunnel.ts'
import { dropExpiredRequests } from './drop-expired-requests.ts'
import { storeRequests } from './store-requests.ts'

const bodyOfRequest = `query ($id: ID!) { capturedRequest(id: $id) {
  requestBody { contentType bytes truncated text base64 } responseBody { contentType bytes truncated text base64 }
} }`

/** A record whose bodies wait in Redis, as a relay leaves it. */
async function captured(
  { redis, acme }: World,
  bodies: { request?: Buffer; response?: Buffer },
  fields: Partial<RequestRecord> = {},
): Promise<RequestRecord> {
  const cut = (bytes: Buffer | undefined) => (bytes ? { truncated: false } : null)
  const record = recordOf(acme.id, crypto.randomUUID(), {
    bodies: { request: cut(bodies.request), response: cut(bodies.response) },
    ...fields,
  })
  for (const [side, bytes] of Object.entries(bodies)) {
    await redis.hset(redisKeys.bodies(record.id), side, bytes)
  }
  return record
}

async function ask(world: World, id: string, role: 'VIEWER' | 'DEVELOPER' = 'DEVELOPER') {
  const { data } = await world.ask(memberOf(world.acme.id, role), bodyOfRequest, { id })
  return data?.['capturedRequest'] as Record<
    'requestBody' | 'responseBody',
    Record<string, unknown> | null
  >
}

test('bodies go from Redis to the object store, secrets taken out, and are read through the graph', async () => {
  await using world = await openWorld()
  const json: [string, string][] = [['Content-Type', 'application/json']]
  const record = await captured(
    world,
    { request: Buffer.from('{"user":"ada","password":"hunter2"}'), response: Buffer.from([0, 1]) },
    { requestHeaders: json, responseHeaders: [['content-type', 'image/png']] },
  )

  await storeRequests(world.jobDeps, [record])

  expect(await ask(world, record.id)).toEqual({
    requestBody: {
      contentType: 'application/json',
      bytes: 38,
      truncated: false,
      text: '{"user":"ada","password":"[redacted]"}',
      base64: expect.any(String),
    },
    responseBody: {
      contentType: 'image/png',
      bytes: 2,
      truncated: false,
      text: null,
      base64: 'AAE=',
    },
  })
  expect(await world.redis.exists(redisKeys.bodies(record.id))).toBe(0)
})

test('who only views, and another organization, read no body', async () => {
  await using world = await openWorld()
  const record = await captured(world, { request: Buffer.from('x') })
  await storeRequests(world.jobDeps, [record])

  expect(await ask(world, record.id, 'VIEWER')).toEqual({ requestBody: null, responseBody: null })
  const { data } = await world.ask(world.globex.member, bodyOfRequest, { id: record.id })
  expect(data?.['capturedRequest']).toBeNull()
})

test('a compressed body is decoded, as far as it was captured; a bomb stays as it came', async () => {
  await using world = await openWorld()
  const headers: [string, string][] = [
    ['content-type', 'text/plain'],
    ['content-encoding', 'gzip'],
  ]
  const long = gzipSync(Buffer.from('line\n'.repeat(20_000)))
  const cut = await captured(
    world,
    { response: long.subarray(0, long.length - 20) },
    { responseHeaders: headers },
  )
  const bomb = await captured(
    world,
    { response: gzipSync(Buffer.alloc(64 * 1024 * 1024)) },
    { responseHeaders: headers },
  )
  await storeRequests(world.jobDeps, [cut, bomb])

  expect((await ask(world, cut.id)).responseBody?.['text']).toMatch(/^line\nline\n/)
  expect((await ask(world, bomb.id)).responseBody?.['bytes']).toBeLessThan(100_000)
})

test('a body that is gone, or a store that fails, costs the body and not the record', async () => {
  await using world = await openWorld()
  const gone = recordOf(world.acme.id, crypto.randomUUID(), {
    bodies: { request: { truncated: true }, response: null },
  })
  const failing = await captured(world, { request: Buffer.from('x') })
  const objects = {
    ...world.parts.objects,
    put: () => Promise.reject(new Error('the disk is full')),
  } as never

  expect(await storeRequests({ ...world.jobDeps, objects }, [gone, failing])).toMatchObject({
    stored: 2,
  })
  expect(await ask(world, gone.id)).toEqual({ requestBody: null, responseBody: null })
  expect(await ask(world, failing.id)).toEqual({ requestBody: null, responseBody: null })
})

test('one request of the graph reads a bounded number of bodies', async () => {
  await using world = await openWorld()
  const records: RequestRecord[] = []
  for (let index = 0; index < 21; index += 1) {
    records.push(await captured(world, { request: Buffer.from('x') }))
  }
  await storeRequests(world.jobDeps, records)
  const fields = records.map(
    ({ id }, index) => `r${index}: capturedRequest(id: "${id}") { requestBody { text } }`,
  )

  expect(codeOf(await world.ask(world.acme.member, `{ ${fields.join(' ')} }`))).toBe(
    'SLUICE_INPUT_INVALID',
  )
  expect(
    codeOf(await world.ask(world.acme.member, `{ ${fields.slice(0, 20).join(' ')} }`)),
  ).toBeUndefined()
})

test('bodies go with the days that their organization keeps', async () => {
  await using world = await openWorld()
  const record = await captured(world, { request: Buffer.from('x') })
  await storeRequests(world.jobDeps, [record])
  const { signal } = new AbortController()
  await dropExpiredRequests.run({}, world.jobDeps, signal)
  expect((await ask(world, record.id)).requestBody?.['text']).toBe('x')

  const later = new Date(Date.now() + 60 * 86_400_000)
  await dropExpiredRequests.run({}, { ...world.jobDeps, now: () => later }, signal)

  expect(await world.parts.objects?.list('bodies/')).toSatisfy((days: string[]) =>
    days.every((day) => day.endsWith('/')),
  )
  expect(await world.parts.objects?.list(`bodies/${record.startedAt.slice(0, 10)}/`)).toEqual([])
})

test('a tunnel keeps bodies only when it says so', async () => {
  await using world = await openWorld()
  await world.relay()
  const tunnel = await createTunnel(world.acme.as(), world.acme.id, {})
  expect(tunnel.captureBodies).toBe(false)
  const { data } = await world.ask(
    world.acme.member,
    `mutation ($id: ID!) { updateTunnel(id: $id, input: { captureBodies: true }) { captureBodies } }`,
    { id: tunnel.id },
  )
  expect(data).toEqual({ updateTunnel: { captureBodies: true } })
})
