import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { join } from 'node:path'

import { queryAt } from '@sluice/kit/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createWorld, type World } from '../world.ts'

/** The promise is two seconds; a machine that is busy gets more before the test says no. */
const outMsMax = 15_000
const password = 'correct horse battery'
const reason = 'Reported for phishing.'

// One story: somebody phishes from a tunnel. Staff takes the address out of service, and then the organization.
let world: World
let upstream: Server

beforeAll(async () => {
  world = await createWorld()
  upstream = createServer((_, response) => response.end('your bank'))
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
})

afterAll(async () => {
  upstream?.close()
  await world?.[Symbol.asyncDispose]()
})

async function ask<Data>(name: string, variables: object, token = ''): Promise<Data> {
  const folder = join(import.meta.dirname, '../../schema/operations/console')
  const query = readFileSync(join(folder, `${name}.graphql`), 'utf8')
  const response = await fetch(`${world.consoleUrl.replace('localhost', '127.0.0.1')}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  })
  const answer = (await response.json()) as { data: Data; errors?: unknown[] }
  expect(answer.errors).toBeUndefined()
  return answer.data
}

async function signUp(name: string): Promise<{ token: string; organizationId: string }> {
  const input = { name, email: `${name.toLowerCase()}@example.test`, password }
  const { signUp: made } = await ask<{ signUp: { accessToken: string } }>('sign-up', { input })
  const { me } = await ask<{ me: { memberships: { organization: { id: string } }[] } }>(
    'me',
    {},
    made.accessToken,
  )
  return { token: made.accessToken, organizationId: me.memberships[0]?.organization.id ?? '' }
}

async function until(holds: () => Promise<boolean>): Promise<number> {
  const startMs = performance.now()
  while (!(await holds())) {
    if (performance.now() - startMs > outMsMax) return Infinity
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return performance.now() - startMs
}

function visit({ host, port }: URL): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, headers: { host } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
      .on('error', reject)
      .end()
  })
}

test('an address and an organization are out of service at once, and the agent learns why', async () => {
  await signUp('Sam')
  const email = 'sam@example.test'
  await queryAt(world.databaseUrl, `update identity."user" set is_admin = true where email = $1`, [
    email,
  ])
  // Signed in anew: who somebody is, the gateway remembers for some seconds.
  const { signIn: staff } = await ask<{ signIn: { accessToken: string } }>('sign-in', {
    email,
    password,
  })
  const { token, organizationId } = await signUp('Mallory')
  const { createAuthtoken } = await ask<{ createAuthtoken: { secret: string } }>(
    'create-authtoken',
    { organizationId, name: 'laptop' },
    token,
  )
  const login = world.sluice(['login'], { input: `${createAuthtoken.secret}\n` })
  expect(await login.exited).toBe(0)
  const { port } = upstream.address() as { port: number }
  const open = () => world.sluice(['http', String(port), '--name', 'bank'])
  const tunnel = open()
  const url = new URL((await tunnel.line(/^http:\/\/bank\.tunnel\.localhost:\d+$/))[0])
  expect((await visit(url)).text).toBe('your bank')

  const name = url.hostname
  await ask('suspend-host', { name, reason }, staff.accessToken)
  const hostMs = await until(async () => (await visit(url)).status === 403)

  expect(hostMs).toBeLessThan(outMsMax)
  expect(await tunnel.exited).not.toBe(0)
  expect(tunnel.output).toContain(reason)
  const page = await visit(url)
  expect(page.text).toContain('SLUICE_HOST_SUSPENDED')
  expect(page.text).not.toContain(reason)
  const again = open()
  expect(await again.exited).not.toBe(0)
  expect(again.output).toContain('SLUICE_TUNNEL_SUSPENDED')

  await ask('unsuspend-host', { name }, staff.accessToken)
  const back = open()
  await back.line(/^http:\/\/bank\.tunnel\.localhost:\d+$/)
  await until(async () => (await visit(url)).status === 200)
  await ask('suspend-organization', { id: organizationId, reason }, staff.accessToken)
  const organizationMs = await until(async () => (await visit(url)).status !== 200)

  expect(organizationMs).toBeLessThan(outMsMax)
  expect(await back.exited).not.toBe(0)
  expect(back.output).toContain('SLUICE_ORGANIZATION_SUSPENDED')
  expect(back.output).toContain(reason)
  const isTold = async () => (await visit(url)).text.includes('SLUICE_HOST_SUSPENDED')
  expect(await until(isTold)).toBeLessThan(outMsMax)
  const closed = await visit(url)
  expect(closed.status).toBe(403)
  expect(closed.text).not.toContain(reason)
  process.stdout.write(
    `out after ${Math.round(hostMs)} ms (address), ${Math.round(organizationMs)} ms (organization)\n`,
  )
})
