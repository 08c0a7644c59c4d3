import { createHmac, randomBytes } from 'node:crypto'

import { Sealer } from '@sluice/kit/sealer'
import { memberOf } from '@sluice/kit/testing'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import { Organization } from '../organization/organization.entity.ts'
import { storeRequests } from '../request/store-requests.ts'
import { suspensionEvents } from '../suspension/closed-hosts.ts'
import { openReceiver } from '../testing/receiver.ts'
import { codeOf, openWorld, recordOf, waitMs, type World } from '../testing/world.ts'
import { createTunnel } from '../tunnel/create-tunnel.ts'
import { deleteTunnel } from '../tunnel/tunnel.ts'
import { deliverWebhooks } from './deliver-webhooks.ts'
import { dropExpiredDeliveries } from './drop-expired-deliveries.ts'
import { queueDeliveries } from './queue-deliveries.ts'
import { tellPresence } from './tell-presence.ts'
import { webhookEventsOf } from './tell-webhooks.ts'
import { WebhookDelivery } from './webhook-delivery.entity.ts'
import { listDeliveries, replayDeliveries, replayDelivery, sendTest } from './webhook-delivery.ts'
import { WebhookEndpoint } from './webhook-endpoint.entity.ts'
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  rotateSecret,
  updateEndpoint,
} from './webhook-endpoint.ts'
import { resealSecrets } from './webhook-secret.ts'

type Receiver = Awaited<ReturnType<typeof openReceiver>>

let world: World
let receiver: Receiver
beforeAll(async () => {
  world = await openWorld()
  receiver = await openReceiver()
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})
beforeEach(async () => {
  world.clock.now = () => new Date()
  receiver.answerWith(() => 204)
  receiver.received.length = 0
  await world.em().nativeDelete(WebhookDelivery, {})
  await world.em().nativeDelete(WebhookEndpoint, {})
})

const endpoint = (path = '/hook', events = ['tunnel.created'], as = world.acme) =>
  createEndpoint(as.as(), as.id, { url: `${receiver.url}${path}`, events })

/** Something happened in acme. */
const queue = (count = 1, event: 'tunnel.created' | 'tunnel.deleted' = 'tunnel.created') =>
  queueDeliveries(
    world.em(),
    Array.from({ length: count }, () => ({
      id: `msg_${crypto.randomUUID()}`,
      event,
      organizationId: world.acme.id,
      occurredAt: world.clock.now(),
      data: { name: 'one' },
    })),
    world.clock.now(),
  )

const deliver = () => deliverWebhooks.run({}, world.jobDeps, new AbortController().signal)

const later = (ms: number) => {
  const at = Date.now() + ms
  world.clock.now = () => new Date(at)
}

const day = 86_400_000

function isSigned(secret: string, one: Receiver['received'][number] | undefined): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  if (!one) return false
  const { headers, body } = one
  const content = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.')
  const signature = createHmac('sha256', key).update(content).digest('base64')
  return String(headers['webhook-signature']).split(' ').includes(`v1,${signature}`)
}

test('an event reaches every endpoint that takes it, signed with its secret, and no other', async () => {
  const one = await endpoint('/one')
  const two = await endpoint('/two', ['tunnel.created', 'tunnel.deleted'])
  await endpoint('/other-event', ['tunnel.deleted'])
  await endpoint('/other-organization', ['tunnel.created'], world.globex)

  await queue()
  await deliver()

  const byPath = new Map(receiver.received.map((message) => [message.path, message]))
  expect([...byPath.keys()].toSorted()).toEqual(['/one', '/two'])
  expect(isSigned(one.secret, byPath.get('/one'))).toBe(true)
  expect(isSigned(two.secret, byPath.get('/two'))).toBe(true)
  expect(isSigned(one.secret, byPath.get('/two'))).toBe(false)
  expect(JSON.parse(byPath.get('/one')?.body ?? '')).toMatchObject({
    type: 'tunnel.created',
    data: { name: 'one' },
  })
})

test('what was done to tunnels and domains is told once, however often it is heard of', async () => {
  await endpoint('/hook', ['tunnel.deleted', 'domain.verified'])
  const tunnel = await createTunnel(world.acme.as(), world.acme.id, { name: 'told' })
  await deleteTunnel(world.acme.as(), tunnel.id)
  const handle = webhookEventsOf(world.clock.now)['act.recorded']
  const hear = async (
    action: 'tunnel.deleted' | 'domain.verified',
    target: string,
    type: string,
  ) => {
    const id = crypto.randomUUID()
    const act = {
      organizationId: world.acme.id,
      action,
      actor: { kind: 'user', id: null, userId: null },
      target: { type, id: target },
      details: 'app.example.com: by TXT',
      ip: null,
      at: new Date().toISOString(),
    }
    const envelope = {
      id,
      name: 'act.recorded',
      entity: '',
      version: 1,
      occurredAt: act.at,
      payload: act,
    }
    await handle?.(world.em(), act, envelope)
    await handle?.(world.em(), act, envelope)
  }

  await hear('tunnel.deleted', tunnel.id, 'tunnel')
  await hear('domain.verified', crypto.randomUUID(), 'domain')
  await deliver()

  const told = receiver.received.map(({ body }) => JSON.parse(body) as { type: string })
  expect(told).toHaveLength(2)
  expect(told.find(({ type }) => type === 'tunnel.deleted')).toMatchObject({
    data: { tunnelId: tunnel.id, name: 'told', kind: 'HTTP' },
  })
  expect(told.find(({ type }) => type === 'domain.verified')).toMatchObject({
    data: { domain: 'app.example.com' },
  })
})

test('a delivery that fails comes again with the same id, later and later, and is given up after a day', async () => {
  await endpoint()
  receiver.answerWith(() => 500)
  await queue()
  const results: string[] = []
  const { webhooks } = world.jobDeps
  if (!webhooks) throw new TypeError('no webhooks')
  const told = {
    ...world.jobDeps,
    webhooks: { ...webhooks, onAttempt: (result: string) => void results.push(result) },
  }
  const start = Date.now()
  let elapsedMs = 0
  for (let n = 0; n < 30; n += 1) {
    later(elapsedMs)
    await deliverWebhooks.run({}, told, new AbortController().signal)
    const [waiting] = await world.em().find(WebhookDelivery, { state: 'PENDING' })
    if (!waiting) break
    elapsedMs = waiting.nextAttemptAt.getTime() - start + 1
  }

  const [given] = await world.em().find(WebhookDelivery, {})
  expect(given?.state).toBe('FAILED')
  expect(receiver.received).toHaveLength(11)
  expect(results).toEqual([...Array.from({ length: 10 }, () => 'retried'), 'failed'])
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(elapsedMs).toBeGreaterThan(0.9 * day)
  expect(elapsedMs).toBeLessThan(1.2 * day)
  expect(given?.attemptLog.at(-1)).toMatchObject({ status: 500, response: 'status 500' })
})

test('an endpoint that does not answer holds up no other, and no more than a few of its own', async () => {
  await endpoint('/slow')
  await endpoint('/quick')
  receiver.answerWith((path) => (path === '/slow' ? 'silence' : 204))
  await queue(12)

  const delivering = deliver()
  const arrived = (path: string) => receiver.received.filter((one) => one.path === path).length
  await vi.waitFor(() => {
    expect(arrived('/quick')).toBe(12)
    expect(arrived('/slow')).toBe(4)
  }, waitMs)
  receiver.answerWith(() => 204)
  receiver.letGo()
  await delivering
  expect(arrived('/slow')).toBe(12)
})

test('two workers at once send each message once', async () => {
  await endpoint()
  await queue(10)

  await Promise.all([deliver(), deliver(), deliver()])

  expect(receiver.received).toHaveLength(10)
})

test('what a worker that died had in its hands is sent by another', async () => {
  await endpoint()
  await queue()
  const dying = new AbortController()
  receiver.answerWith(() => 'silence')
  const run = deliverWebhooks.run({}, world.jobDeps, dying.signal)
  await vi.waitFor(() => expect(receiver.received).toHaveLength(1), waitMs)
  dying.abort()
  await run

  receiver.answerWith(() => 204)
  await deliver()
  expect(receiver.received).toHaveLength(1)
  later(31_000)
  await deliver()

  expect(receiver.received).toHaveLength(2)
  expect(await world.em().count(WebhookDelivery, { state: 'DELIVERED' })).toBe(1)
})

test('after a change of the secret both sign, and then the new one alone', async () => {
  const made = await endpoint()
  const { secret } = await rotateSecret(world.acme.as(), made.endpoint.id)
  await queue()
  await deliver()
  later(day + 1_000)
  await queue()
  await deliver()

  const [during, after] = receiver.received
  expect([isSigned(made.secret, during), isSigned(secret, during)]).toEqual([true, true])
  expect([isSigned(made.secret, after), isSigned(secret, after)]).toEqual([false, true])
})

test('an endpoint that is gone, or has failed for days, is switched off, and can be switched on', async () => {
  const { endpoint: gone } = await endpoint('/gone')
  const { endpoint: dead } = await endpoint('/dead')
  receiver.answerWith((path) => (path === '/gone' ? 410 : 500))
  await queue()
  await deliver()
  const read = async (id: string) => world.em().findOneOrFail(WebhookEndpoint, { id })
  expect(await read(gone.id)).toMatchObject({ isEnabled: false, disabledReason: 'GONE' })
  expect((await read(dead.id)).isEnabled).toBe(true)

  later(5 * day + 60_000)
  await queue()
  await deliver()
  expect(await read(dead.id)).toMatchObject({ isEnabled: false, disabledReason: 'FAILING' })
  const acts = await world
    .em()
    .execute<{ count: string }[]>(
      `select count(*) from tunnels.outbox_event where payload ->> 'action' = 'webhook.disabled'`,
    )
  expect(Number(acts[0]?.count)).toBe(2)

  await updateEndpoint(world.acme.as(), dead.id, { isEnabled: true })
  expect(await read(dead.id)).toMatchObject({
    isEnabled: true,
    disabledReason: null,
    failingSince: null,
  })
})

test('nothing is sent for a suspended organization; what waits is held, and goes out when that is lifted', async () => {
  await endpoint()
  await endpoint('/other', ['tunnel.created'], world.globex)
  receiver.answerWith(() => 500)
  await queue()
  await deliver()
  const em = world.em()
  await em.upsert(Organization, { organizationId: world.acme.id, suspendedAt: new Date() })
  receiver.answerWith(() => 204)
  receiver.received.length = 0
  await queue()
  const ofGlobex = { event: 'tunnel.created', organizationId: world.globex.id } as const
  const message = { id: 'msg_globex', occurredAt: new Date(), data: {}, ...ofGlobex }
  await queueDeliveries(world.em(), [message], world.clock.now())
  later(7 * day)
  await deliver()

  expect(receiver.received.map(({ path }) => path)).toEqual(['/other'])
  const shown = () =>
    world.ask(
      world.acme.member,
      `query ($id: ID!) { _entities(representations: [{ __typename: "Organization", id: $id }]) { ... on Organization {
         webhookEndpoints { failingSince
           all: deliveries { nodes { state nextAttemptAt } }
           held: deliveries(state: HELD) { nodes { state } }
           pending: deliveries(state: PENDING) { nodes { state } } } } } }`,
      { id: world.acme.id },
    )
  const held = { state: 'HELD', nextAttemptAt: null }
  expect(await shown()).toMatchObject({
    data: {
      _entities: [
        {
          webhookEndpoints: [
            {
              failingSince: expect.anything(),
              all: { nodes: [held, held] },
              held: { nodes: [{ state: 'HELD' }, { state: 'HELD' }] },
              pending: { nodes: [] },
            },
          ],
        },
      ],
    },
  })

  const lift = suspensionEvents(() => undefined)['organization.suspension-changed']
  const payload = { organizationId: world.acme.id, suspendedAt: null }
  const envelope = { id: '', name: '', entity: '', version: 1, occurredAt: '', payload }
  await world.em().transactional((own) => lift?.(own, payload, envelope))
  // The week in which nothing was sent does not count as one in which it failed.
  receiver.answerWith(() => 500)
  await deliver()
  expect(receiver.received).toHaveLength(3)
  receiver.answerWith(() => 204)
  later(8 * day)
  await deliver()
  expect(await world.em().count(WebhookDelivery, { state: 'DELIVERED' })).toBe(3)
  expect(await world.em().count(WebhookEndpoint, { isEnabled: false })).toBe(0)
})

test('one message, or those of a time, are sent again with their ids', async () => {
  const { endpoint: own } = await endpoint()
  await queue(3)
  await deliver()
  const context = world.acme.as()
  const { nodes } = await listDeliveries(context, own, {})
  const from = new Date(Date.now() - 60_000)
  const to = new Date(Date.now() + 60_000)

  await replayDelivery(world.acme.as(), nodes[0]?.id ?? '')
  await deliver()
  const all = { endpointId: own.id, from, to, failedOnly: false }
  expect(await replayDeliveries(world.acme.as(), { ...all, failedOnly: true })).toBe(0)
  expect(await replayDeliveries(world.acme.as(), all)).toBe(3)
  await deliver()

  expect(receiver.received).toHaveLength(7)
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3)
})

test('a test can be sent to an endpoint that takes something else', async () => {
  const { endpoint: own } = await endpoint('/hook', ['domain.added'])
  await sendTest(world.acme.as(), own.id)
  await deliver()

  expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ type: 'webhook.test' })
})

test('captured requests are told as metadata, at most as many per minute as are wanted', async () => {
  const { endpoint: own } = await createEndpoint(world.acme.as(), world.acme.id, {
    url: `${receiver.url}/hook`,
    events: ['request.captured'],
    capturedPerMinuteMax: 3,
  })
  const tunnelId = crypto.randomUUID()
  const records = Array.from({ length: 5 }, () =>
    recordOf(world.acme.id, tunnelId, {
      path: '/pay?card=4111',
      requestHeaders: [['authorization', 'secret']],
    }),
  )

  await storeRequests(world.jobDeps, records)
  await storeRequests(world.jobDeps, records)
  await storeRequests(world.jobDeps, [recordOf(world.acme.id, tunnelId)])
  await deliver()

  expect(receiver.received).toHaveLength(3)
  expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
    type: 'request.captured',
    data: { tunnelId, method: 'GET', path: '/pay', status: 200 },
  })
  expect(receiver.received.map(({ body }) => body).join('')).not.toMatch(/4111|secret/)
  later(61_000)
  await storeRequests(world.jobDeps, [recordOf(world.acme.id, tunnelId)])
  expect(await world.em().count(WebhookDelivery, { endpointId: own.id })).toBe(4)
})

test('tunnels that come online and go offline are told when they change, and what was before is not news', async () => {
  const session = async (tunnelId: string, since: Date) =>
    world.em().execute(
      `insert into tunnels.agent_session (id, organization_id, tunnel_id, relay_id, epoch, since, last_seen_at)
       values (?, ?, ?, 'relay-1', 1, ?::timestamptz, now())`,
      [crypto.randomUUID(), world.acme.id, tunnelId, since.toISOString()],
    )
  const early = await createTunnel(world.acme.as(), world.acme.id, { name: 'early' })
  const late = await createTunnel(world.acme.as(), world.acme.id, { name: 'late' })
  await session(early.id, new Date(Date.now() - 60_000))
  await endpoint('/hook', ['tunnel.online', 'tunnel.offline'])
  const look = () => tellPresence.run({}, world.jobDeps, new AbortController().signal)

  await look()
  await session(late.id, new Date(Date.now() + 1_000))
  await look()
  await look()
  await world.em().execute('update tunnels.agent_session set ended_at = now()')
  await look()
  await deliver()

  const told = receiver.received
    .map(({ body }) => JSON.parse(body) as { type: string; data: { name: string } })
    .map(({ type, data }) => `${data.name} ${type}`)
  expect(told.toSorted()).toEqual([
    'early tunnel.offline',
    'late tunnel.offline',
    'late tunnel.online',
  ])
})

test('another organization’s endpoints and deliveries look missing, and viewers see none', async () => {
  const { endpoint: own } = await endpoint()
  await queue()
  const [delivery] = await world.em().find(WebhookDelivery, {})
  const missing = { code: 'SLUICE_WEBHOOK_ENDPOINT_NOT_FOUND' }
  const stranger = () => world.globex.as()

  expect(await listEndpoints(stranger(), world.acme.id)).toBeNull()
  await expect(
    updateEndpoint(stranger(), own.id, { url: 'https://evil.test' }),
  ).rejects.toMatchObject(missing)
  await expect(rotateSecret(stranger(), own.id)).rejects.toMatchObject(missing)
  await expect(deleteEndpoint(stranger(), own.id)).rejects.toMatchObject(missing)
  await expect(sendTest(stranger(), own.id)).rejects.toMatchObject(missing)
  await expect(replayDelivery(stranger(), delivery?.id ?? '')).rejects.toMatchObject({
    code: 'SLUICE_WEBHOOK_DELIVERY_NOT_FOUND',
  })
  const viewer = world.context(memberOf(world.acme.id, 'VIEWER'))
  expect(await listEndpoints(viewer, world.acme.id)).toBeNull()
  const developer = world.context(memberOf(world.acme.id, 'DEVELOPER'))
  expect(await listEndpoints(developer, world.acme.id)).toHaveLength(1)
  await expect(sendTest(developer, own.id)).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
})

test('what cannot be an endpoint is refused with a reason', async () => {
  const create = (input: object) =>
    createEndpoint(world.acme.as(), world.acme.id, {
      url: receiver.url,
      events: ['tunnel.created'],
      ...input,
    })

  await expect(create({ events: ['invoice.paid'] })).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
  await expect(create({ events: [] })).rejects.toMatchObject({ code: 'SLUICE_INPUT_INVALID' })
  await expect(create({ capturedPerMinuteMax: 601 })).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
  await expect(create({ url: 'ftp://example.test' })).rejects.toMatchObject({
    code: 'SLUICE_ADDRESS_INVALID',
  })
  const context = world.acme.as()
  const strict = {
    ...context,
    parts: { ...context.parts, webhooks: { ...context.parts.webhooks, allowPrivate: false } },
  }
  const input = { url: 'http://example.test/hook', events: ['tunnel.created'] }
  await expect(createEndpoint(strict, world.acme.id, input)).rejects.toMatchObject({
    code: 'SLUICE_ADDRESS_INVALID',
  })
})

test('an endpoint that leads into our own network is not asked', async () => {
  const { endpoint: own } = await endpoint()
  await queue()
  const { webhooks } = world.jobDeps
  if (!webhooks) throw new TypeError('no webhooks')
  const strict = { ...world.jobDeps, webhooks: { ...webhooks, allowPrivate: false } }

  await deliverWebhooks.run({}, strict, new AbortController().signal)

  expect(receiver.received).toEqual([])
  const { nodes } = await listDeliveries(world.acme.as(), own, {})
  expect(nodes[0]?.attemptLog[0]).toMatchObject({ status: null, response: '' })
})

test('no more endpoints than an organization may have, however many are made at once', async () => {
  const made = await Promise.allSettled(Array.from({ length: 12 }, () => endpoint()))

  const refused = made.filter((one) => one.status === 'rejected')
  expect(refused.map((one) => one.reason.code as string)).toEqual([
    'SLUICE_WEBHOOK_ENDPOINTS_MAX',
    'SLUICE_WEBHOOK_ENDPOINTS_MAX',
  ])
})

test('a secret is in no answer but the first, and not in the database', async () => {
  const answer = await world.ask(
    world.acme.member,
    `mutation($id: ID!, $input: WebhookEndpointInput!) {
      createWebhookEndpoint(organizationId: $id, input: $input) { secret endpoint { id events deliveries { nodes { id } } } } }`,
    { id: world.acme.id, input: { url: `${receiver.url}/x`, events: ['tunnel.created'] } },
  )
  expect(answer.errors).toBeUndefined()
  const { createWebhookEndpoint } = answer.data as { createWebhookEndpoint: { secret: string } }
  const { secret } = createWebhookEndpoint
  const rows = await world
    .em()
    .execute(`select to_jsonb(one)::text from tunnels.webhook_endpoint as one`)

  expect(JSON.stringify(rows)).not.toContain(secret.slice('whsec_'.length))
  const refused = await world.ask(
    memberOf(world.acme.id, 'DEVELOPER'),
    `mutation($id: ID!) { rotateWebhookSecret(id: $id) { secret } }`,
    { id: crypto.randomUUID() },
  )
  expect(codeOf(refused)).toBe('SLUICE_WEBHOOK_ENDPOINT_NOT_FOUND')
})

test('secrets are sealed anew with the current key, and sign as before', async () => {
  const made = await endpoint()
  const { secret } = await rotateSecret(world.acme.as(), made.endpoint.id)
  const { webhooks } = world.jobDeps
  if (!webhooks) throw new TypeError('no webhooks')
  const nextKey = { id: 'next', key: randomBytes(32) }
  const next = new Sealer([nextKey, world.sealingKey])

  expect(await resealSecrets(() => world.em(), next)).toBe(1)
  expect(await resealSecrets(() => world.em(), next)).toBe(0)
  await queue()
  await deliverWebhooks.run(
    {},
    { ...world.jobDeps, webhooks: { ...webhooks, sealer: new Sealer([nextKey]) } },
    new AbortController().signal,
  )

  const [message] = receiver.received
  expect([isSigned(made.secret, message), isSigned(secret, message)]).toEqual([true, true])
})

test('deliveries are forgotten after two weeks, and with their endpoint', async () => {
  const { endpoint: own } = await endpoint()
  await queue(2)
  const forget = () => dropExpiredDeliveries.run({}, world.jobDeps, new AbortController().signal)

  later(13 * day)
  await forget()
  expect(await world.em().count(WebhookDelivery, {})).toBe(2)
  later(15 * day)
  await queue()
  await forget()
  expect(await world.em().count(WebhookDelivery, {})).toBe(1)
  await deleteEndpoint(world.acme.as(), own.id)
  expect(await world.em().count(WebhookDelivery, {})).toBe(0)
})
