import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

import { createClient, type Client } from 'graphql-ws'
import { Redis } from 'ioredis'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { createWorld, type Program, type World } from '../world.ts'
import { startLocalApp } from './local-app.ts'
import { createVisitor, visitOften, type Visitor } from './visit.ts'

const recoveryMsMax = 15_000
const settleMsMax = 120_000

// One story: each test goes on where the one before stopped, as the developer does.
let world: World
let app: { port: number; close(): Promise<void> }
let page: Page
let authtoken: string
let tunnel: Program
let visitor: Visitor
let graph: Client

beforeAll(async () => {
  world = await createWorld()
  app = await startLocalApp()
  page = await (await world.browser()).newPage()
})

afterAll(async () => {
  await graph?.dispose()
  await app?.close()
  await world?.[Symbol.asyncDispose]()
})

async function ask<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const response = await fetch(`${world.consoleUrl.replace('localhost', '127.0.0.1')}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${authtoken}` },
    body: JSON.stringify({ query, variables }),
  })
  const answer = (await response.json()) as { data: Data; errors?: unknown[] }
  expect(answer.errors).toBeUndefined()
  return answer.data
}

test('a developer signs up in the browser and is given an authtoken', async () => {
  await page.goto(`${world.consoleUrl}/sign-up`)
  await page.locator('input[name=name]').fill('Ada')
  await page.locator('input[name=email]').fill('ada@example.test')
  await page.locator('input[name=password]').fill('correct horse battery')
  await page.locator('input[name=organizationName]').fill('Acme')
  await page.getByRole('button', { name: 'Sign up' }).click()

  await page.getByRole('button', { name: 'Create an authtoken' }).click()
  await page.getByText(/slt_/).first().waitFor()
  authtoken = /slt_[A-Za-z0-9]+/.exec(await page.innerText('body'))?.[0] ?? ''

  expect(authtoken).toMatch(/^slt_[A-Za-z0-9]{38}$/)
})

test('the command line program logs in, and prints an address that works', async () => {
  const login = world.sluice(['login'], { input: `${authtoken}\n` })
  expect(await login.exited).toBe(0)

  tunnel = world.sluice(['http', String(app.port), '--name', 'demo'])
  const [url = ''] = await tunnel.line(/^http:\/\/demo\.tunnel\.localhost:\d+$/)
  visitor = createVisitor(url)

  const answer = await visitor.visit('/hello')
  expect(answer.body.toString()).toBe('hello from the local app')
})

test('the getting-started page completes itself', async () => {
  await page.getByRole('heading', { name: 'You are set up' }).waitFor({ timeout: settleMsMax })

  expect(await page.locator('[data-state=done]').count()).toBe(3)
})

test('one query joins all four subgraphs', async () => {
  const { viewer } = await ask<{ viewer: { organization: Record<string, unknown> } }>(`{
    viewer { organization { name viewerRole
      plan { id entitlements { maxTunnels } } entitlements { maxTunnels } usage { tunnels { used limit } }
      tunnels(first: 5) { nodes { name status owner { name } organization { name } customDomains { domain }
        requests(first: 1) { nodes { path tunnel { name organization { name } } } } } }
    } }
  }`)

  expect(viewer.organization).toMatchObject({
    name: 'Acme',
    plan: { id: 'free' },
    entitlements: { maxTunnels: 3 },
    tunnels: {
      nodes: [
        {
          name: 'demo',
          status: 'ONLINE',
          owner: { name: 'Ada' },
          organization: { name: 'Acme' },
          customDomains: [],
        },
      ],
    },
  })
})

test('1,000 requests of all kinds arrive byte-exact and show in console, CLI and a joined subscription', async () => {
  const { viewer } = await ask<{
    viewer: { organization: { tunnels: { nodes: { id: string }[] } } }
  }>('{ viewer { organization { tunnels(first: 1) { nodes { id } } } } }')
  const tunnelId = viewer.organization.tunnels.nodes[0]?.id
  graph = createClient({
    url: `${world.consoleUrl.replace('http', 'ws').replace('localhost', '127.0.0.1')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${authtoken}` },
  })
  const subscription = graph.iterate<{ trafficEvents: Record<string, unknown> }>({
    query: `subscription Live($tunnelId: ID!) { trafficEvents(tunnelId: $tunnelId) {
      missed request { method path status }
      tunnel { name owner { name } organization { name plan { name } } customDomains { domain } }
    } }`,
    variables: { tunnelId },
  })
  const firstEvent = subscription.next()
  const logs = world.sluice(['logs', '-f'])
  await page.goto(`${world.consoleUrl}/requests`)
  await page.getByText('Live').first().waitFor()

  // The subscription must stand before the first request: it shows what happens from then on.
  await expect.poll(() => ask<{ relays: unknown[] }>('{ relays { id } }')).toBeDefined()
  const good = await visitOften(visitor, 1_000)
  await visitor.visit('/hello?last=1')

  expect(good).toBe(1_000)
  const event = (await firstEvent).value
  expect(event).toMatchObject({
    data: {
      trafficEvents: {
        request: { path: expect.stringContaining('/') },
        tunnel: {
          name: 'demo',
          owner: { name: 'Ada' },
          organization: { name: 'Acme', plan: { name: expect.any(String) } },
          customDomains: [],
        },
      },
    },
  })
  await subscription.return?.()
  await logs.line(/\/hello\?last=1/)
  await page.getByText('/hello?last=1').first().waitFor({ timeout: settleMsMax })
})

test('after the relay was killed the same address works again within seconds', async () => {
  const killedAt = Date.now()
  process.kill(world.relayPid(), 'SIGKILL')

  await expect
    .poll(async () => (await visitor.visit('/hello').catch(() => null))?.body.toString(), {
      timeout: settleMsMax,
      interval: 50,
    })
    .toBe('hello from the local app')

  expect(Date.now() - killedAt).toBeLessThan(recoveryMsMax)
})

test('while PostgreSQL is down the open tunnel serves, and the graph answers again after', async () => {
  await world.postgres.stop()

  expect(await visitOften(visitor, 50)).toBe(50)

  await world.postgres.start()
  await expect
    .poll(
      () =>
        ask<{ viewer: unknown }>(
          '{ viewer { organization { name tunnels(first: 1) { nodes { name } } } } }',
        ).catch(() => null),
      {
        timeout: settleMsMax,
        interval: 250,
      },
    )
    .toMatchObject({ viewer: { organization: { tunnels: { nodes: [{ name: 'demo' }] } } } })
})

test('after Redis lost everything live status, live traffic and the request log come back', async () => {
  const redis = new Redis(world.redisUrl)
  await redis.flushall()
  redis.disconnect()

  await expect
    .poll(
      async () => {
        const path = `/hello?after-flush=${Date.now()}`
        await visitor.visit(path)
        const { viewer } = await ask<{
          viewer: {
            organization: {
              tunnels: { nodes: { status: string; requests: { nodes: { path: string }[] } }[] }
            }
          }
        }>(
          `{ viewer { organization { tunnels(first: 1) { nodes { status
            requests(first: 20, filter: { pathContains: "after-flush" }) { nodes { path } } } } } } }`,
        )
        const [node] = viewer.organization.tunnels.nodes
        return { status: node?.status, stored: (node?.requests.nodes.length ?? 0) > 0 }
      },
      { timeout: settleMsMax, interval: 500 },
    )
    .toEqual({ status: 'ONLINE', stored: true })
})

test('a TCP tunnel keeps its port over a crash of its agent, and its connections show in the log', async () => {
  const started = () => world.sluice(['tcp', String(app.port), '--name', 'raw'])
  const first = started()
  await first.line(new RegExp(`^tcp://localhost:${world.tunnelPort}$`))
  first.child.kill('SIGKILL')
  await first.exited

  const second = started()
  await second.line(new RegExp(`^tcp://localhost:${world.tunnelPort}$`))

  // Bytes of which nobody on the way knows that they are HTTP.
  const socket = connect({ port: world.tunnelPort, host: '127.0.0.1' })
  socket.end('GET /hello HTTP/1.1\r\nHost: raw\r\nConnection: close\r\n\r\n')
  expect(await text(socket)).toContain('hello from the local app')
  await expect
    .poll(
      async () => {
        const logs = world.sluice(['logs', '--tunnel', 'raw'])
        await logs.exited
        return logs.lines.join('\n')
      },
      { timeout: settleMsMax, interval: 500 },
    )
    .toContain('TCP')
  second.child.kill('SIGINT')
  expect(await second.exited).toBe(130)
})

test('Ctrl-C ends the agent cleanly, and visitors are told that the tunnel is offline', async () => {
  tunnel.child.kill('SIGINT')
  expect(await tunnel.exited).toBe(130)

  await expect
    .poll(async () => (await visitor.visit('/hello')).headers['sluice-error'], {
      timeout: settleMsMax,
    })
    .toBe('SLUICE_TUNNEL_OFFLINE')
})
