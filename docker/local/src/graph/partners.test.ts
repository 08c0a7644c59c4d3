import { createServer } from 'node:http'

import {
  AddDomainDocument,
  AttachDomainDocument,
  createClient,
  CreateTunnelDocument,
  CreateWebhookEndpointDocument,
  DeleteTunnelDocument,
  ListRequestsDocument,
  ListTunnelsDocument,
  ListWebhookDeliveriesDocument,
  ReplayWebhookDeliveryDocument,
  SluiceApiError,
  StopTunnelDocument,
  UsageDocument,
  VerifyDomainDocument,
  WhoamiDocument,
  type Cost,
} from '@sluice/client'
import { listen } from '@sluice/kit/metrics'
import { permissionNames } from '@sluice/schema/permissions'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { attachDomain, createTunnel, putOnPlan, recordOf, tellRequests } from './traffic.ts'
import { openWorld, type Person, type World } from './world.ts'

const waitMs = 15_000
const forPartners = permissionNames.filter((name) =>
  /^(organization\.read|tunnels|requests|domains|webhooks|billing\.read)/.test(name),
)

let world: World
let owner: Person
beforeAll(async () => {
  world = await openWorld()
  owner = await world.signUp('partner')
  await putOnPlan(world, owner, 'starter')
})
afterAll(() => world[Symbol.asyncDispose]())

/** Whoever takes webhooks; `types` are those of what it got. */
async function openReceiver() {
  const types: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      types.push((JSON.parse(Buffer.concat(chunks).toString()) as { type: string }).type)
      response.writeHead(204).end()
    })
  })
  const listening = await listen(server, 0)
  return {
    types,
    url: `http://127.0.0.1:${listening.port}`,
    [Symbol.asyncDispose]: () => listening.close(),
  }
}

async function apiKey(permissions: readonly string[], person = owner): Promise<string> {
  const { organizationId, token } = person
  const made = await world.ask(
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
    { input: { organizationId, name: 'partner', permissions } },
    { token },
  )
  if (made.errors) throw new TypeError(made.text)
  return made.data.createApiKey.secret
}

test('every operation of the client runs, with the key of an organization, within its limits', async () => {
  await using receiver = await openReceiver()
  const costs: Cost[] = []
  const key = await apiKey(forPartners)
  const run = createClient({
    server: world.origin,
    apiKey: key,
    onCost: (cost) => costs.push(cost),
  })

  const { viewer } = await run(WhoamiDocument, {})
  const organizationId = viewer.organization?.id ?? ''
  expect(organizationId).toBe(owner.organizationId)
  const hook = await run(CreateWebhookEndpointDocument, {
    organizationId,
    input: { url: receiver.url, events: ['tunnel.created', 'domain.added'] },
  })
  expect(hook.createWebhookEndpoint.secret).toMatch(/^whsec_/)
  const { createTunnel: made } = await run(CreateTunnelDocument, {
    organizationId,
    input: { name: 'of-partner' },
  })
  const listed = await run(ListTunnelsDocument, { organizationId })
  expect(listed.organization?.tunnels?.nodes.map(({ id }) => id)).toEqual([made.id])

  await tellRequests(world, [recordOf({ ...made, organizationId })])
  await vi.waitFor(async () => {
    const { tunnel } = await run(ListRequestsDocument, { tunnelId: made.id })
    expect(tunnel?.requests.nodes).toHaveLength(1)
  }, waitMs)
  const { usage } = (await run(UsageDocument, { organizationId })).organization ?? {}
  expect(usage?.requests.limit).toBeGreaterThan(0)

  const { addCustomDomain: domain } = await run(AddDomainDocument, {
    organizationId,
    domain: 'partner.example.com',
  })
  expect(domain.dnsRecords.map(({ type }) => type)).toEqual(['TXT', 'CNAME'])
  const { verifyCustomDomain: pending } = await run(VerifyDomainDocument, { id: domain.id })
  expect(pending.status).toBe('PENDING')
  await expect(
    run(AttachDomainDocument, { id: domain.id, tunnelId: made.id }),
  ).rejects.toMatchObject({ code: 'SLUICE_DOMAIN_NOT_VERIFIED' })

  // What was done over the graph is told, past outbox, stream and worker.
  await vi.waitFor(
    () => expect(receiver.types.toSorted()).toEqual(['domain.added', 'tunnel.created']),
    waitMs,
  )
  const { organization } = await run(ListWebhookDeliveriesDocument, { organizationId })
  const deliveries = organization?.webhookEndpoints?.[0]?.deliveries.nodes ?? []
  await run(ReplayWebhookDeliveryDocument, { id: deliveries[0]?.id ?? '' })
  await vi.waitFor(() => expect(receiver.types).toHaveLength(3), waitMs)

  expect((await run(StopTunnelDocument, { id: made.id })).stopTunnel.status).toBe('STOPPED')
  expect((await run(DeleteTunnelDocument, { id: made.id })).deleteTunnel).toBe(made.id)
  for (const { requested, max } of costs) expect(requested).toBeLessThanOrEqual(max)
})

test('a key does what it was allowed to, and what belongs to others looks missing', async () => {
  const stranger = await world.signUp('other')
  const tunnel = await createTunnel(world, owner)
  await attachDomain(world, owner, tunnel)
  const reader = createClient({
    server: world.origin,
    apiKey: await apiKey(['organization.read', 'tunnels.read']),
  })
  const foreign = createClient({
    server: world.origin,
    apiKey: await apiKey(forPartners, stranger),
  })

  const { organizationId } = owner
  expect((await reader(ListTunnelsDocument, { organizationId })).organization).not.toBeNull()
  await expect(reader(StopTunnelDocument, { id: tunnel.id })).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  const unseen = await reader(ListWebhookDeliveriesDocument, { organizationId })
  expect(unseen.organization?.webhookEndpoints).toBeNull()
  expect((await foreign(ListTunnelsDocument, { organizationId })).organization).toBeNull()
  const refused = await foreign(StopTunnelDocument, { id: tunnel.id }).catch(
    (error: unknown) => error,
  )
  expect(refused).toBeInstanceOf(SluiceApiError)
  expect(refused).toMatchObject({ code: 'SLUICE_TUNNEL_NOT_FOUND', retryAfterSeconds: null })
})

test('a key opens the public graph alone, and a sign-in does not', async () => {
  const key = await apiKey(forPartners)
  const wrong = createClient({
    server: world.origin,
    apiKey: `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`,
  })
  const person = createClient({ server: world.origin, apiKey: owner.token })

  await expect(wrong(WhoamiDocument, {})).rejects.toMatchObject({ code: 'SLUICE_API_KEY_INVALID' })
  await expect(person(WhoamiDocument, {})).rejects.toMatchObject({ code: 'SLUICE_API_KEY_NEEDED' })
  const elsewhere = await world.ask('{ plans { id } }', {}, { token: key })
  expect(elsewhere.errors?.[0]?.extensions).toMatchObject({ code: 'SLUICE_API_KEY_NOT_HERE' })
})
