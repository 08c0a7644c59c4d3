import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { createWorld, type Program, type World } from '../world.ts'

/** The promise is two seconds; a machine that is busy gets more before the test says no. */
const followMsMax = 10_000

// One story: a tunnel that serves, and whose policy is changed under it.
let world: World
let upstream: Server
let tunnel: Program
/** Of the person, then of the agent. */
let credential = ''
let tunnelId = ''
let url: URL

beforeAll(async () => {
  world = await createWorld()
  upstream = createServer((asked, response) => {
    if (asked.url !== '/events') {
      response.end(JSON.stringify(asked.headers))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const tick = setInterval(() => response.write('data: tick\n\n'), 100)
    response.on('close', () => clearInterval(tick))
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
})

afterAll(async () => {
  upstream?.closeAllConnections()
  upstream?.close()
  await world?.[Symbol.asyncDispose]()
})

async function ask<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const response = await fetch(`${world.consoleUrl.replace('localhost', '127.0.0.1')}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential === '' ? {} : { authorization: `Bearer ${credential}` }),
    },
    body: JSON.stringify({ query, variables }),
  })
  const answer = (await response.json()) as { data: Data; errors?: unknown[] }
  expect(answer.errors).toBeUndefined()
  return answer.data
}

/** Who is not signed in may send only what the console sends, to the letter. */
function consoleDocument(name: string): string {
  const folder = join(import.meta.dirname, '../../schema/operations/console')
  return readFileSync(join(folder, `${name}.graphql`), 'utf8')
}

function open(path: string, localAddress = '127.0.0.1'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host, port } = url
    request({ host: '127.0.0.1', localAddress, port, path, headers: { host } }, resolve)
      .on('error', reject)
      .end()
  })
}

async function visit(path: string) {
  const response = await open(path)
  let body = ''
  for await (const piece of response.setEncoding('utf8')) body += piece
  return { status: response.statusCode, headers: response.headers, body }
}

/** Changes the tunnel, and says how long it took until visitors met the change. */
async function change(input: object, holds: () => Promise<boolean>): Promise<number> {
  await ask(
    'mutation Change($id: ID!, $input: TunnelUpdateInput!) { updateTunnel(id: $id, input: $input) { id } }',
    {
      id: tunnelId,
      input,
    },
  )
  const startMs = performance.now()
  while (!(await holds())) {
    if (performance.now() - startMs > followMsMax) return Infinity
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return performance.now() - startMs
}

test('a tunnel is open', async () => {
  const { signUp } = await ask<{ signUp: { accessToken: string } }>(consoleDocument('sign-up'), {
    input: { name: 'Ada', email: 'ada@example.test', password: 'correct horse battery' },
  })
  credential = signUp.accessToken
  const { me } = await ask<{ me: { memberships: { organization: { id: string } }[] } }>(
    consoleDocument('me'),
  )
  const organizationId = me.memberships[0]?.organization.id
  const { createAuthtoken } = await ask<{ createAuthtoken: { secret: string } }>(
    consoleDocument('create-authtoken'),
    { organizationId, name: 'e2e', scopes: ['TUNNELS_START', 'TUNNELS_READ'] },
  )
  credential = createAuthtoken.secret
  const login = world.sluice(['login'], { input: `${credential}\n` })
  expect(await login.exited).toBe(0)

  const { port } = upstream.address() as { port: number }
  tunnel = world.sluice(['http', String(port), '--name', 'live', '--rate-limit', '1000/s'])
  url = new URL((await tunnel.line(/^http:\/\/live\.tunnel\.localhost:\d+$/))[0])
  const { organization } = await ask<{
    organization: { tunnels: { nodes: { id: string; policy: { requestRate: object } }[] } }
  }>(
    `query Tunnels($id: ID!) { organization(id: $id) {
      tunnels(first: 1) { nodes { id policy { requestRate { perSecond } } } } } }`,
    { id: organizationId },
  )
  const [node] = organization.tunnels.nodes
  tunnelId = node?.id ?? ''

  expect(node?.policy.requestRate).toEqual({ perSecond: 1000 })
  expect((await visit('/')).status).toBe(200)
})

test('a change of policy and Host is met by new requests within moments, and cuts off whom it forbids alone', async () => {
  const events = await open('/events', '127.0.0.2')
  const forbidden = await open('/events')
  const cut = once(forbidden.resume(), 'error')
  let ticks = 0
  events.on('data', () => (ticks += 1))

  const headersMs = await change(
    {
      hostHeader: 'upstream.test',
      policy: {
        requestHeaders: { add: [{ name: 'X-Env', value: 'staging' }] },
        responseHeaders: { add: [{ name: 'X-Edge', value: 'yes' }] },
      },
    },
    async () => {
      const { headers, body } = await visit('/')
      const heard = JSON.parse(body) as Record<string, string>
      return (
        headers['x-edge'] === 'yes' &&
        heard['x-env'] === 'staging' &&
        heard['host'] === 'upstream.test'
      )
    },
  )
  const deniedMs = await change({ policy: { denyIps: ['127.0.0.1'] } }, async () => {
    // Whoever is on the way when the policy comes is cut off, too.
    const answer = await visit('/').catch(() => null)
    return answer?.status === 403 && answer.headers['sluice-error'] === 'SLUICE_IP_DENIED'
  })
  await cut
  const openedMs = await change({ policy: {} }, async () => (await visit('/')).status === 200)
  const before = ticks
  await once(events, 'data')

  process.stdout.write(
    `followed in ${[headersMs, deniedMs, openedMs].map((ms) => `${Math.round(ms)} ms`).join(', ')}\n`,
  )
  for (const ms of [headersMs, deniedMs, openedMs]) expect(ms).toBeLessThan(followMsMax)
  expect(ticks).toBeGreaterThan(before)
  expect(tunnel.lines.join('\n')).not.toMatch(/disconnected|offline|reconnect/i)
  events.destroy()
})
