import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { createWorld, type Program, type World } from '../world.ts'

/** The promise is two seconds, with Redis and without; a machine that is busy gets more before the test says no. */
const outMsMax = 30_000

// One story: an authtoken is narrowed while its agent serves; then Redis is killed, others are revoked, and an empty one comes back.
let world: World
let upstream: Server
let token: string
let organizationId: string

beforeAll(async () => {
  world = await createWorld()
  upstream = createServer((_, response) => response.end('served'))
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const input = { name: 'Ada', email: 'ada@example.test', password: 'correct horse battery' }
  token = (await ask<{ signUp: { accessToken: string } }>('sign-up', { input })).signUp.accessToken
  const { me } = await ask<{ me: { memberships: { organization: { id: string } }[] } }>('me', {})
  organizationId = me.memberships[0]?.organization.id ?? ''
})

afterAll(async () => {
  upstream?.close()
  await world?.[Symbol.asyncDispose]()
})

async function post(body: object, credential: string): Promise<unknown> {
  const response = await fetch(`${world.consoleUrl.replace('localhost', '127.0.0.1')}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential === '' ? {} : { authorization: `Bearer ${credential}` }),
    },
    body: JSON.stringify(body),
  })
  return response.json()
}

/** Sends a document of the console. */
async function ask<Data>(name: string, variables: object): Promise<Data> {
  const folder = join(import.meta.dirname, '../../schema/operations/console')
  const query = readFileSync(join(folder, `${name}.graphql`), 'utf8')
  const answer = (await post({ query, variables }, token ?? '')) as { data: Data; errors?: unknown }
  expect(answer.errors).toBeUndefined()
  return answer.data
}

interface Machine {
  readonly id: string
  readonly agent: Program
  /** Its tunnel answers visitors. */
  readonly serves: () => Promise<boolean>
  /** The gateway takes its authtoken. */
  readonly isKnown: () => Promise<boolean>
}

/** An agent with an authtoken of its own. */
async function openMachine(name: string): Promise<Machine> {
  const { createAuthtoken } = await ask<{
    createAuthtoken: { secret: string; authtoken: { id: string } }
  }>('create-authtoken', { organizationId, name })
  const { port } = upstream.address() as { port: number }
  const { secret, authtoken } = createAuthtoken
  const agent = world.sluice(['http', String(port), '--name', name], {
    env: { SLUICE_AUTHTOKEN: secret },
  })
  const url = new URL((await agent.line(/^http:\/\/\w+\.tunnel\.localhost:\d+$/))[0])
  return {
    id: authtoken.id,
    agent,
    serves: async () => (await visit(url)) === 200,
    async isKnown() {
      const answer = (await post({ query: '{ viewer { kind } }' }, secret)) as { data?: object }
      return Boolean(answer.data)
    },
  }
}

function visit({ host, port }: URL): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

const becomes = (isTrue: () => Promise<boolean>, wanted: boolean) =>
  expect.poll(isTrue, { timeout: outMsMax }).toBe(wanted)

test('an agent goes on while its authtoken still allows it, and is out when it does not', async () => {
  const narrowed = await openMachine('lost')
  const change = (allowedIps: string[]) =>
    ask('change-authtoken', { id: narrowed.id, terms: { allowedIps } })

  await change(['127.0.0.1', '::1'])
  await becomes(narrowed.isKnown, true)
  await becomes(narrowed.serves, true)
  await change(['203.0.113.1'])

  await becomes(narrowed.isKnown, false)
  await becomes(narrowed.serves, false)
  // It has outlived the first change: that would have ended it with another code.
  expect(await narrowed.agent.exited).not.toBe(0)
  expect(narrowed.agent.output).toContain('SLUICE_AUTHTOKEN_IP_REFUSED')
})

test('a revocation holds at gateway and relay while Redis is gone, and when an empty one is back', async () => {
  const [kept, lost, later] = [
    await openMachine('kept'),
    await openMachine('lost'),
    await openMachine('later'),
  ]
  await becomes(kept.serves, true)
  await becomes(lost.serves, true)

  await world.redis.kill()
  await ask('revoke-authtoken', { id: lost.id })

  await becomes(lost.isKnown, false)
  await becomes(lost.serves, false)
  expect([await kept.isKnown(), await kept.serves()]).toEqual([true, true])

  await world.redis.start()
  await ask('revoke-authtoken', { id: later.id })

  await becomes(later.isKnown, false)
  await becomes(later.serves, false)
  expect([await lost.isKnown(), await lost.serves()]).toEqual([false, false])
  await becomes(kept.isKnown, true)
  await becomes(kept.serves, true)
})
