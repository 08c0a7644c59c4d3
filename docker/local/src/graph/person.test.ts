import { createServer } from 'node:http'

import { listen } from '@sluice/kit/metrics'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { attachDomain, createTunnel, putOnPlan, recordOf, tellRequests } from './traffic.ts'
import { eventually, openWorld, password, type Person, type World } from './world.ts'

let world: World
let admin: string
beforeAll(async () => {
  world = await openWorld()
  admin = await world.signInAdmin()
})
afterAll(() => world[Symbol.asyncDispose]())

const waitMs = 15_000
const exported = ({ token }: Pick<Person, 'token'>, method = 'GET') =>
  fetch(`${world.origin}/v1/account/export`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  })

test('an export has what every subgraph keeps of its person, and nothing of anybody else', async () => {
  const ada = await world.signUp('ada')
  const eve = await world.signUp('eve')
  await putOnPlan(world, ada, 'starter')
  const tunnel = await createTunnel(world, ada)
  const others = await createTunnel(world, eve)
  const domain = await attachDomain(world, ada, tunnel)
  await tellRequests(world, [recordOf(tunnel), recordOf(tunnel), recordOf(others)])
  await world.ask(
    'mutation($id: ID!) { createAuthtoken(organizationId: $id, name: "laptop") { secret } }',
    { id: ada.organizationId },
    ada,
  )
  const exportedRequests = async () => {
    const response = await exported(ada)
    if (!response.ok) throw new TypeError(await response.text())
    const document = await response.json()
    return { document, requests: document.tunnels.tunnels[0]?.requestLog.requests }
  }
  await eventually(async () => (await exportedRequests()).requests === 2, waitMs)

  const { document } = await exportedRequests()

  expect(document.identity).toMatchObject({
    format: 'sluice-account-2',
    account: { id: ada.userId, email: ada.email },
    authtokens: [{ name: 'laptop' }],
    truncated: [],
  })
  expect(document.tunnels.tunnels).toMatchObject([
    { id: tunnel.id, endpointHost: tunnel.endpointHost, requestLog: { requests: 2 } },
  ])
  expect(document.domains.domains).toMatchObject([{ domain: domain.domain, status: 'VERIFIED' }])
  expect(document.billing).toEqual({ chosenPlans: [], truncated: [] })
  const text = JSON.stringify(document)
  for (const foreign of [eve.userId, eve.email, others.id, others.endpointHost]) {
    expect(text).not.toContain(foreign)
  }
  const head = await exported(ada, 'HEAD')
  expect(head.status).toBe(200)
  expect(head.headers.get('content-disposition')).toContain('sluice-account-')
})

test('nobody but the person themselves gets an export: no staff in their place, no old sign-in, no key', async () => {
  const ada = await world.signUp('alone')
  const codeFor = async (token: string) => (await exported({ token })).headers.get('sluice-error')

  const started = await world.ask(
    'mutation($input: ImpersonationInput!) { startImpersonation(input: $input) { accessToken } }',
    { input: { userId: ada.userId, reason: 'A ticket.', mayChange: true } },
    { token: admin },
  )
  expect(await codeFor(started.data.startImpersonation.accessToken)).toBe(
    'SLUICE_IMPERSONATION_FORBIDDEN',
  )
  const made = await world.ask(
    'mutation($id: ID!) { createAuthtoken(organizationId: $id, name: "ci") { secret } }',
    { id: ada.organizationId },
    ada,
  )
  expect(await codeFor(made.data.createAuthtoken.secret)).toBe('SLUICE_FORBIDDEN')
  await world.sql(
    `update identity.sign_in set proved_at = now() - interval '1 hour' where user_id = $1`,
    [ada.userId],
  )
  expect(await codeFor(ada.token)).toBe('SLUICE_REAUTHENTICATION_NEEDED')
  await world.ask(
    'mutation($password: String!) { reauthenticate(password: $password) }',
    { password },
    ada,
  )
  expect(await codeFor(ada.token)).toBeNull()
})

/** Whoever takes webhooks; `arrived` counts them by path. */
async function openReceiver() {
  const arrived = new Map<string, number>()
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const { url = '' } = request
      arrived.set(url, (arrived.get(url) ?? 0) + 1)
      response.writeHead(204).end()
    })
  })
  const listening = await listen(server, 0)
  return {
    url: `http://127.0.0.1:${listening.port}`,
    arrived: (path: string) => arrived.get(path) ?? 0,
    [Symbol.asyncDispose]: () => listening.close(),
  }
}

async function createEndpoint({ organizationId, token }: Person, url: string): Promise<string> {
  const made = await world.ask(
    `mutation($id: ID!, $url: String!) { createWebhookEndpoint(organizationId: $id, input: { url: $url, events: ["tunnel.created"] }) { endpoint { id } } }`,
    { id: organizationId, url },
    { token },
  )
  if (made.errors) throw new TypeError(made.text)
  return made.data.createWebhookEndpoint.endpoint.id as string
}

/** What was noticed a moment ago, and is due. */
const queueDelivery = ({ organizationId }: Person, endpointId: string) =>
  world.sql(
    `insert into tunnels.webhook_delivery
       (id, organization_id, endpoint_id, message_id, event, occurred_at, data, state, attempts, attempt_log, next_attempt_at, created_at)
     values (gen_random_uuid(), $1, $2, 'msg_late', 'tunnel.created', now(), '{}', 'PENDING', 0, '[]', now(), now())`,
    [organizationId, endpointId],
  )

test('webhooks of a suspended organization are held from the moment on, and arrive when that is lifted', async () => {
  await using receiver = await openReceiver()
  const [owner, other] = [await world.signUp('held'), await world.signUp('sent')]
  const id = await createEndpoint(owner, `${receiver.url}/held`)
  const othersId = await createEndpoint(other, `${receiver.url}/sent`)
  await createTunnel(world, owner)
  await eventually(() => receiver.arrived('/held') === 1, waitMs)

  await world.ask(
    'mutation($id: ID!, $reason: String!) { suspendOrganization(id: $id, reason: $reason) { id } }',
    { id: owner.organizationId, reason: 'Spam.' },
    { token: admin },
  )
  await eventually(async () => {
    const [row] = await world.sql<{ suspended_at: string | null }>(
      'select suspended_at from tunnels.organization where organization_id = $1',
      [owner.organizationId],
    )
    return Boolean(row?.suspended_at)
  }, waitMs)
  await queueDelivery(owner, id)
  const shown = async () => {
    const { data } = await world.ask(
      'query($id: ID!) { webhookEndpoint(id: $id) { deliveries(first: 1) { nodes { state nextAttemptAt } } } }',
      { id },
      owner,
    )
    return data?.webhookEndpoint?.deliveries.nodes
  }
  await expect.poll(shown, { timeout: waitMs }).toEqual([{ state: 'HELD', nextAttemptAt: null }])
  // What became due later has gone: whoever sends has passed it over.
  await queueDelivery(other, othersId)
  await eventually(() => receiver.arrived('/sent') === 1, waitMs)
  expect(receiver.arrived('/held')).toBe(1)

  await world.ask(
    'mutation($id: ID!) { unsuspendOrganization(id: $id) { id } }',
    { id: owner.organizationId },
    { token: admin },
  )
  await eventually(() => receiver.arrived('/held') === 2, waitMs)
})
