import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { expect, onTestFinished, test } from 'vitest'

import { createAuthtoken } from '../authtoken/authtoken.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { AuditStream } from './audit-stream.entity.ts'
import {
  auditStreams,
  createAuditStream,
  deleteAuditStream,
  lagOf,
  switchAuditStream,
} from './audit-stream.ts'
import { deliverStreams } from './deliver-streams.ts'
import { sealEntries } from './seal-entries.ts'

interface Received {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
}

/** A place that takes what it is sent, or answers with another status. */
async function openPlace() {
  const received: Received[] = []
  let status = 200
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      received.push({ method, path, headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(status).end('ok')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    answer: (with_: number) => void (status = with_),
  }
}

async function openStreaming() {
  const world = await openWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  const owner = await world.person()
  const { orm, sealer, guard, now } = world.deps
  const deps = { orm, sealer, guard, now, log: silentLog }
  await sealEntries(orm)
  return {
    world,
    owner,
    deliver: () => deliverStreams(deps, new AbortController().signal),
    stream: () =>
      forkSystem(orm).findOneOrFail(AuditStream, { organizationId: owner.organizationId }),
    act: async (name: string) => {
      await createAuthtoken(await owner.context(), owner.organizationId, name)
      await sealEntries(orm)
    },
  }
}

const hook = (owner: Person, url: string, more = {}) => ({
  organizationId: owner.organizationId,
  name: 'siem',
  kind: 'webhook' as const,
  url,
  ...more,
})

test('entries are posted once each, in order, signed as Standard Webhooks has it', async () => {
  const { world, owner, act, deliver } = await openStreaming()
  const place = await openPlace()
  const { secret } = await createAuditStream(await owner.context(), hook(owner, `${place.url}/in`))
  await sealEntries(world.db.orm)
  await act('one')

  await deliver()
  world.pass(6_000)
  await deliver()
  await act('two')
  world.pass(6_000)
  await deliver()

  const bodies = place.received.map(({ body }) => JSON.parse(body))
  const entries = bodies.flatMap(
    ({ data }) => data.entries as { action: string; sequence: number }[],
  )
  expect(entries.map(({ action }) => action)).toEqual([
    'audit-stream.created',
    'authtoken.created',
    'authtoken.created',
  ])
  const [first = 0] = entries.map(({ sequence }) => sequence)
  expect(entries.map(({ sequence }) => sequence)).toEqual([first, first + 1, first + 2])
  const [{ headers, body }] = place.received as [Received]
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const key = Buffer.from(secret?.slice('whsec_'.length) ?? '', 'base64')
  const expected = createHmac('sha256', key).update(signed).digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${expected}`)
})

test('what is not taken is sent again, later and later, and the state says so', async () => {
  const { world, owner, deliver, stream } = await openStreaming()
  const place = await openPlace()
  place.answer(500)
  await createAuditStream(await owner.context(), hook(owner, place.url, { fromBeginning: true }))
  await sealEntries(world.db.orm)

  await deliver()
  expect(await deliver()).toBe(0)
  const once = await stream()
  world.pass(10_000)
  await deliver()
  const twice = await stream()
  place.answer(204)
  world.pass(30_000)
  await deliver()
  const arrived = await stream()

  expect(once).toMatchObject({ failures: 1, lastError: 'it answered 500', delivered: 0n })
  expect(twice.failures).toBe(2)
  expect(arrived).toMatchObject({ failures: 0, lastError: null })
  const ids = place.received.map(({ headers }) => headers['webhook-id'])
  expect(ids).toHaveLength(3)
  expect(new Set(ids).size).toBe(1)
  expect(await lagOf(await owner.context(), arrived)).toBe(0)
})

test('a bucket gets an object of JSON Lines, named by its places in the chain', async () => {
  const { world, owner, deliver } = await openStreaming()
  const place = await openPlace()
  await createAuditStream(await owner.context(), {
    ...hook(owner, `${place.url}/archive/sluice`, { fromBeginning: true }),
    kind: 'bucket',
    accessKeyId: 'AKIAEXAMPLE',
    secretAccessKey: 'not for anybody',
  })
  await sealEntries(world.db.orm)

  await deliver()

  const [put] = place.received as [Received]
  expect(put.method).toBe('PUT')
  expect(put.path).toMatch(
    new RegExp(
      `^/archive/sluice/${owner.organizationId}/\\d{4}/\\d\\d/\\d\\d/000000000001-0000000000\\d\\d\\.jsonl$`,
    ),
  )
  expect(put.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/.*Signature=[0-9a-f]{64}$/,
  )
  const lines = put.body.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).sequence)).toEqual(lines.map((_, n) => n + 1))
  expect(put.body + JSON.stringify(put.headers)).not.toContain('not for anybody')
})

test('one that is off sends nothing, and goes on where it stood', async () => {
  const { world, owner, act, deliver, stream } = await openStreaming()
  const place = await openPlace()
  await createAuditStream(await owner.context(), hook(owner, place.url))
  const { id } = await stream()
  await switchAuditStream(await owner.context(), id, false)
  await act('meanwhile')
  await deliver()
  expect(place.received).toEqual([])

  await switchAuditStream(await owner.context(), id, true)
  await sealEntries(world.db.orm)
  await deliver()

  const { data } = JSON.parse(place.received[0]?.body ?? '')
  expect(data.entries.map(({ action }: { action: string }) => action)).toEqual([
    'audit-stream.created',
    'audit-stream.switched-off',
    'authtoken.created',
    'audit-stream.switched-on',
  ])
})

test('two that deliver at once send an entry once', async () => {
  const { world, owner, deliver } = await openStreaming()
  const place = await openPlace()
  await createAuditStream(await owner.context(), hook(owner, place.url, { fromBeginning: true }))
  await sealEntries(world.db.orm)
  await Promise.all([deliver(), deliver(), deliver()])
  expect(place.received).toHaveLength(1)
})

async function refused(world: World, who: Person, of: Person, url: string, more = {}) {
  const context = await who.context()
  return createAuditStream(
    { ...context, guard: { allowPrivate: false } },
    { ...hook(of, url), ...more },
  ).then(
    () => 'made',
    (error: { code?: string }) => error.code,
  )
}

test('only those who may manage it, only public addresses, and only so many', async () => {
  const { world, owner } = await openStreaming()
  const stranger = await world.person()
  const developer = await world.person()
  await world.join(owner.organizationId, developer)
  const url = 'https://siem.example.com/in'

  expect(await refused(world, stranger, owner, url)).toBe('SLUICE_ORGANIZATION_NOT_FOUND')
  expect(await refused(world, developer, owner, url)).toBe('SLUICE_FORBIDDEN')
  expect(await refused(world, owner, owner, 'ftp://example.com')).toBe('SLUICE_ADDRESS_INVALID')
  expect(await refused(world, owner, owner, 'https://example.com:22/')).toBe(
    'SLUICE_ADDRESS_INVALID',
  )
  expect(await refused(world, owner, owner, 'https://s3.example.com/', { kind: 'bucket' })).toBe(
    'SLUICE_INPUT_INVALID',
  )
  expect(
    await refused(world, owner, owner, 'https://s3.example.com/archive', { kind: 'bucket' }),
  ).toBe('SLUICE_INPUT_INVALID')
  const made = await Promise.all(
    Array.from({ length: 7 }, (_, n) => refused(world, owner, owner, url, { name: `siem ${n}` })),
  )
  expect(made.filter((one) => one === 'made')).toHaveLength(5)
  expect(made.filter((one) => one === 'SLUICE_AUDIT_STREAMS_MAX')).toHaveLength(2)
})

test('a stream of others looks missing, and one that is deleted is gone', async () => {
  const { world, owner, stream } = await openStreaming()
  await createAuditStream(await owner.context(), hook(owner, 'https://siem.example.com/in'))
  const { id, sealedSecret } = await stream()
  const stranger = await world.person()

  await expect(deleteAuditStream(await stranger.context(), id)).rejects.toMatchObject({
    code: 'SLUICE_AUDIT_STREAM_NOT_FOUND',
  })
  expect(sealedSecret).not.toContain('whsec_')
  await deleteAuditStream(await owner.context(), id)
  expect(await auditStreams(await owner.context(), owner.organizationId)).toEqual([])
})
