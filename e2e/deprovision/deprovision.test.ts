import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { join } from 'node:path'

import { queryAt } from '@sluice/kit/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createWorld, type World } from '../world.ts'

/** The promise is two seconds; a machine that is busy gets more before the test says no. */
const outMsMax = 15_000
const email = 'grace@corp.test'
const password = 'correct horse battery'

// One story: a company's identity provider brings somebody in, and takes them out while their tunnel serves.
let world: World
let upstream: Server

beforeAll(async () => {
  world = await createWorld()
  upstream = createServer((_, response) => response.end('served'))
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
})

afterAll(async () => {
  upstream?.close()
  await world?.[Symbol.asyncDispose]()
})

const origin = () => world.consoleUrl.replace('localhost', '127.0.0.1')

async function ask<Data>(query: string, variables: object = {}, token = ''): Promise<Data> {
  const response = await fetch(`${origin()}/graphql`, {
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

/** Who is not signed in may send only what the console sends, to the letter. */
function consoleDocument(name: string): string {
  const folder = join(import.meta.dirname, '../../schema/operations/console')
  return readFileSync(join(folder, `${name}.graphql`), 'utf8')
}

async function scim(secret: string, method: string, path: string, body: object) {
  const response = await fetch(`${origin()}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify(body),
  })
  expect(response.ok).toBe(true)
  return (await response.json()) as { id: string; active: boolean }
}

async function until(holds: () => Promise<boolean>, msMax: number): Promise<number> {
  const startMs = performance.now()
  while (!(await holds())) {
    if (performance.now() - startMs > msMax) return Infinity
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return performance.now() - startMs
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

test('whoever the identity provider takes out loses the tunnel they serve, at once', async () => {
  const { signUp } = await ask<{ signUp: { accessToken: string } }>(consoleDocument('sign-up'), {
    input: { name: 'Ada', email: 'ada@corp.test', password },
  })
  const { me } = await ask<{ me: { memberships: { organization: { id: string } }[] } }>(
    consoleDocument('me'),
    {},
    signUp.accessToken,
  )
  const organizationId = me.memberships[0]?.organization.id ?? ''
  const { createScimToken } = await ask<{ createScimToken: { secret: string } }>(
    consoleDocument('create-scim-token'),
    { input: { organizationId, name: 'Okta' } },
    signUp.accessToken,
  )
  const { secret } = createScimToken

  // The account has no password: its owner sets one by mail.
  const person = await scim(secret, 'POST', '/Users', {
    userName: email,
    displayName: 'Grace Hopper',
    emails: [{ value: email, primary: true }],
  })
  const group = await scim(secret, 'POST', '/Groups', {
    displayName: 'Developers',
    members: [{ value: person.id }],
  })
  await ask(
    consoleDocument('map-scim-group'),
    { input: { groupId: group.id, role: 'DEVELOPER' } },
    signUp.accessToken,
  )
  await ask(consoleDocument('request-password-reset'), { email })
  let link = ''
  await until(async () => {
    const [mail] = await queryAt<{ text: string | null }>(
      world.databaseUrl,
      `select text from identity.mail where address = $1 and kind = 'reset-password'`,
      [email],
    )
    link = /\/reset-password#([\w-]+)/.exec(mail?.text ?? '')?.[1] ?? ''
    return link !== ''
  }, 60_000)
  await ask(consoleDocument('reset-password'), { token: link, password })
  const { signIn } = await ask<{ signIn: { accessToken: string } }>(consoleDocument('sign-in'), {
    email,
    password,
  })
  const { createAuthtoken } = await ask<{ createAuthtoken: { secret: string } }>(
    consoleDocument('create-authtoken'),
    { organizationId, name: 'laptop' },
    signIn.accessToken,
  )
  const login = world.sluice(['login'], { input: `${createAuthtoken.secret}\n` })
  expect(await login.exited).toBe(0)
  const { port } = upstream.address() as { port: number }
  const tunnel = world.sluice(['http', String(port), '--name', 'grace'])
  const url = new URL((await tunnel.line(/^http:\/\/grace\.tunnel\.localhost:\d+$/))[0])
  expect(await visit(url)).toBe(200)

  const off = await scim(secret, 'PATCH', `/Users/${person.id}`, {
    Operations: [{ op: 'replace', value: { active: false } }],
  })
  const outMs = await until(async () => (await visit(url)) === 503, outMsMax)

  process.stdout.write(`out after ${Math.round(outMs)} ms\n`)
  expect(off.active).toBe(false)
  expect(outMs).toBeLessThan(outMsMax)
  expect(await tunnel.exited).not.toBe(0)
})
