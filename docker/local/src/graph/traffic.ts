import { redisChannels, redisKeys, type RequestRecord } from '@sluice/schema/redis'

import { eventually, type Person, type World } from './world.ts'

export interface TestTunnel {
  id: string
  endpointHost: string
  organizationId: string
}

/** Puts the organization on a plan, as staff does, and waits until the other subgraphs have heard of it. */
export async function putOnPlan(world: World, { organizationId }: Person, planId: string) {
  const token = await world.signInAdmin()
  const changed = () =>
    world.ask(
      'mutation($organizationId: ID!, $planId: ID!) { changePlan(organizationId: $organizationId, planId: $planId) { plan { entitlements { maxCustomDomains } } } }',
      { organizationId, planId },
      { token },
    )
  let max: unknown
  await eventually(async () => {
    const { errors, data } = await changed()
    max = data?.changePlan.plan.entitlements.maxCustomDomains
    return errors === undefined
  })
  const heard = () =>
    world.sql(
      `select 1 from tunnels.organization join domains.allowance using (organization_id)
       where organization_id = $1 and plan_id = $2 and max_custom_domains = $3`,
      [organizationId, planId, max],
    )
  await eventually(async () => (await heard()).length === 1)
}

export async function createTunnel(world: World, { token, organizationId }: Person) {
  const answer = await world.ask(
    'mutation($id: ID!) { createTunnel(organizationId: $id, input: {}) { id endpointHost } }',
    { id: organizationId },
    { token },
  )
  if (answer.errors) throw new TypeError(answer.text)
  return { ...answer.data.createTunnel, organizationId } as TestTunnel
}

/** A custom domain that leads to the tunnel. Its DNS proof is shown in the tests of domains; here the row says so. */
export async function attachDomain(world: World, { token }: Person, tunnel: TestTunnel) {
  const domain = `${crypto.randomUUID()}.example.com`
  const added = await world.ask(
    'mutation($id: ID!, $domain: String!) { addCustomDomain(organizationId: $id, domain: $domain) { id } }',
    { id: tunnel.organizationId, domain },
    { token },
  )
  if (added.errors) throw new TypeError(added.text)
  const { id } = added.data.addCustomDomain as { id: string }
  await world.sql(
    `update domains.custom_domain set status = 'VERIFIED', verified_at = now() where id = $1`,
    [id],
  )
  const attach = () =>
    world.ask(
      'mutation($id: ID!, $tunnelId: ID!) { attachCustomDomain(id: $id, tunnelId: $tunnelId) { id } }',
      { id, tunnelId: tunnel.id },
      { token },
    )
  // The tunnel’s event may still be under way.
  await eventually(async () => (await attach()).errors === undefined)
  return { id, domain }
}

let lastMs = Date.now()

export function recordOf(tunnel: TestTunnel, given: Partial<RequestRecord> = {}): RequestRecord {
  lastMs += 1
  return {
    id: uuidv7(lastMs),
    organizationId: tunnel.organizationId,
    tunnelId: tunnel.id,
    relayId: 'test',
    endpointHost: tunnel.endpointHost,
    startedAt: new Date().toISOString(),
    method: 'GET',
    path: '/',
    protocol: 'HTTP/1.1',
    status: 200,
    code: null,
    visitorIp: '203.0.113.9',
    requestBytes: 0,
    responseBytes: 12,
    durationMs: 3.5,
    firstByteMs: 2,
    requestHeaders: [['host', tunnel.endpointHost]],
    responseHeaders: [],
    ...given,
  }
}

/** What a relay sends when requests have ended: to whoever follows now, and to the inspector. */
export async function tellRequests({ redis }: World, records: RequestRecord[]) {
  const [first] = records
  if (!first) return
  const batch = { id: crypto.randomUUID(), records }
  await redis.publish(redisChannels.traffic(first.tunnelId), JSON.stringify(records))
  await redis.xadd(redisKeys.requests, '*', 'batch', JSON.stringify(batch))
}

export async function tellUsage(
  { redis }: World,
  { id: tunnelId, organizationId }: TestTunnel,
  count: { requests: number; bytesIn: number; bytesOut: number },
  batchId: string = crypto.randomUUID(),
) {
  const counts = [{ organizationId, tunnelId, ...count }]
  const batch = { id: batchId, relayId: 'test', at: new Date().toISOString(), counts }
  await redis.xadd(redisKeys.usage, '*', 'batch', JSON.stringify(batch))
}

function uuidv7(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${crypto.randomUUID().slice(15)}`
}
