import { afterAll, beforeAll, expect, test } from 'vitest'

import { addMember } from './members.ts'
import { createTunnel, putOnPlan } from './traffic.ts'
import { codeOf, eventually, openWorld, type Person, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** It takes a fraction of a second; two are promised, and a busy machine gets more. */
const withinMs = 8_000

async function send(secret: string, method: string, path: string, body?: object) {
  const response = await fetch(`${world.origin}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/scim+json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return { response, body: text === '' ? null : JSON.parse(text) }
}

async function openProvider(owner: Person): Promise<string> {
  const made = await world.ask(
    'mutation($input: CreateScimTokenInput!) { createScimToken(input: $input) { secret } }',
    { input: { organizationId: owner.organizationId, name: 'Okta' } },
    { token: owner.token },
  )
  expect(made.errors).toBeUndefined()
  return made.data.createScimToken.secret
}

const readTunnels = (owner: Person, token: string) =>
  world.ask(
    'query($id: ID!) { organization(id: $id) { tunnels(first: 1) { nodes { id } } } }',
    { id: owner.organizationId },
    { token },
  )

async function createAuthtoken(owner: Person, token: string): Promise<string> {
  const made = await world.ask(
    'mutation($id: ID!) { createAuthtoken(organizationId: $id, name: "cli") { secret } }',
    { id: owner.organizationId },
    { token },
  )
  expect(made.errors).toBeUndefined()
  return made.data.createAuthtoken.secret
}

test('whoever the provider unassigns is out at once: what they follow ends, and their authtokens are void', async () => {
  const [owner, member] = await Promise.all([world.signUp('boss'), world.signUp('team')])
  await putOnPlan(world, owner, 'pro')
  await addMember(world, owner, member, 'DEVELOPER')
  const secret = await openProvider(owner)
  const made = await send(secret, 'POST', '/Users', {
    userName: member.email,
    displayName: 'Team',
    emails: [{ value: member.email, primary: true }],
  })
  expect(made.response.status).toBe(201)
  expect(made.response.headers.get('content-type')).toBe('application/scim+json')
  expect(made.response.headers.get('etag')).toBe('W/"1"')
  const authtoken = await createAuthtoken(owner, member.token)
  expect((await readTunnels(owner, authtoken)).errors).toBeUndefined()
  const statusOf = 'subscription($id: ID!) { tunnelStatus(organizationId: $id) { tunnelId } }'
  const follow = (token: string) => world.follow(statusOf, { id: owner.organizationId }, token)
  const lives = [follow(member.token), follow(authtoken)]
  await expect
    .poll(
      async () => {
        await createTunnel(world, owner)
        return lives.every(({ payloads }) => payloads.length > 0)
      },
      { interval: 100, timeout: 15_000 },
    )
    .toBe(true)

  const sinceMs = performance.now()
  const off = await send(secret, 'PATCH', `/Users/${made.body.id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'Replace', path: 'active', value: 'False' }],
  })
  expect(off.body.active).toBe(false)

  await Promise.all(lives.map(({ ended }) => ended))
  await eventually(
    async () => (await readTunnels(owner, member.token)).data.organization === null,
    withinMs,
  )
  await eventually(
    async () => codeOf(await readTunnels(owner, authtoken)) === 'SLUICE_AUTHTOKEN_INVALID',
    withinMs,
  )
  expect(performance.now() - sinceMs).toBeLessThan(withinMs)

  const on = await send(secret, 'PATCH', `/Users/${made.body.id}`, {
    Operations: [{ op: 'replace', value: { active: true } }],
  })
  expect(on.body.active).toBe(true)
  await eventually(async () => (await readTunnels(owner, member.token)).data.organization !== null)
  expect(codeOf(await readTunnels(owner, authtoken))).toBe('SLUICE_AUTHTOKEN_INVALID')
})

test('the door gives SCIM its own refusals, and takes no other credential', async () => {
  const owner = await world.signUp('door')
  const secret = await openProvider(owner)

  for (const token of ['', owner.token, 'slc_nothing']) {
    const { response, body } = await send(token, 'GET', '/Users')
    expect([response.status, body.schemas]).toEqual([
      401,
      ['urn:ietf:params:scim:api:messages:2.0:Error'],
    ])
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
  }
  const byCookie = await fetch(`${world.origin}/scim/v2/Users`, {
    headers: { cookie: owner.cookie },
  })
  expect(byCookie.status).toBe(401)
  const large = await send(secret, 'POST', '/Users', { userName: 'x'.repeat(1_100_000) })
  expect(large.response.status).toBe(413)
  expect(codeOf(await readTunnels(owner, secret))).toBe('SLUICE_UNAUTHENTICATED')
  const { response, body } = await send(
    secret,
    'GET',
    `/Users?filter=${encodeURIComponent('x eq 1')}`,
  )
  expect([response.status, body.scimType]).toEqual([400, 'invalidFilter'])
})
