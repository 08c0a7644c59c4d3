import { createInternalSigner, internalHeader } from '@sluice/kit/internal-token'
import { anonymous, type Principal } from '@sluice/kit/principal'
import { openSigningKeys } from '@sluice/kit/signing-keys'
import { memberOf } from '@sluice/kit/testing'
import { getIntrospectionQuery } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { attachDomain, createTunnel, recordOf, tellRequests, type TestTunnel } from './traffic.ts'
import { codeOf, eventually, openWorld, type Person, type World } from './world.ts'

let world: World
let owner: Person
let stranger: Person
let tunnel: TestTunnel
let domainId: string
let requestId: string
beforeAll(async () => {
  world = await openWorld()
  ;[owner, stranger] = await Promise.all([world.signUp('door'), world.signUp('stranger')])
  tunnel = await createTunnel(world, owner)
  domainId = (await attachDomain(world, owner, tunnel)).id
  const record = recordOf(tunnel)
  requestId = record.id
  await tellRequests(world, [record])
})
afterAll(() => world[Symbol.asyncDispose]())

/** Each would, by its alias, put a value of the client's choice where a later fetch looks for a key or a type. */
const forging: Record<string, string> = {
  'a free text as the key of an entity of the second hop': `query($id: ID!) { tunnel(id: $id) { id: hostHeader customDomains { id } } }`,
  'a key two hops away': `query($id: ID!) { tunnel(id: $id) { organization { id: name plan { id } } } }`,
  'a key behind a list': `query($id: ID!) { tunnel(id: $id) { customDomains { tunnel { id: name owner { email } } } } }`,
  'the type of an entity': `query($id: ID!) { tunnel(id: $id) { __typename: name owner { email } } }`,
  'a field of the entity that another subgraph adds': `query($id: ID!) { tunnel(id: $id) { customDomains: name owner { email } } }`,
  'a key inside a fragment': `query($id: ID!) { tunnel(id: $id) { ...F } } fragment F on Tunnel { owner { id: email name } }`,
  'a key inside an inline fragment of a list': `query($id: ID!) { tunnel(id: $id) { requests { nodes { ... on CapturedRequest { id: path tunnel { id } } } } } }`,
}

test('private keys of certificates are for relay keys, at this door as at any other', async () => {
  const text = '{ relayCertificate(domain: "nobody.example.com") { privateKey } }'
  const ask = (token: string) => world.ask(text, {}, { token })

  const relay = await ask(world.relayKey)
  const member = await ask(owner.token)

  expect(relay).toMatchObject({ data: { relayCertificate: null } })
  expect(relay.errors).toBeUndefined()
  expect(codeOf(member)).toBe('SLUICE_RELAY_KEY_INVALID')
})

test.for(Object.entries(forging))('%s is refused over HTTP and graphql-ws', async ([, text]) => {
  const variables = { id: tunnel.id }
  const answer = await world.ask(text, variables, { token: owner.token })
  expect(codeOf(answer)).toBe('SLUICE_ALIAS_SHADOWS_FIELD')
  expect(answer.data).toBeUndefined()
  const admin = await world.signInAdmin()
  expect(codeOf(await world.ask(text, variables, { token: admin }))).toBe(
    'SLUICE_ALIAS_SHADOWS_FIELD',
  )

  const socket = world.follow(text, variables, owner.token)
  expect(await socket.ended).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_ALIAS_SHADOWS_FIELD' } }],
  })
})

test('a subscription that forges a key of its joins is refused', async () => {
  const text = `subscription($id: ID!) { trafficEvents(tunnelId: $id) { tunnel { organization { id: name plan { id } } } } }`
  const live = world.follow(text, { id: tunnel.id }, owner.token)
  expect(await live.ended).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_ALIAS_SHADOWS_FIELD' } }],
  })
})

test('an alias that is no field’s name works over all subgraphs', async () => {
  const { data, errors } = await world.ask(
    '{ mine: me { mail: email memberships { of: organization { called: name planOfIt: plan { code: id } } } } }',
    {},
    { token: owner.token },
  )
  expect(errors).toBeUndefined()
  expect(data.mine).toEqual({
    mail: owner.email,
    memberships: [{ of: { called: 'door’s organization', planOfIt: { code: 'free' } } }],
  })
})

test('the anonymous may neither introspect nor write documents; the first admin may do both', async () => {
  const introspection = getIntrospectionQuery()
  expect(codeOf(await world.ask(introspection))).toBe('SLUICE_INTROSPECTION_FORBIDDEN')
  expect(codeOf(await world.ask('{ plans { id } }'))).toBe('SLUICE_DOCUMENT_UNKNOWN')
  const socket = world.follow(introspection, {})
  expect(await socket.ended).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_INTROSPECTION_FORBIDDEN' } }],
  })

  const token = await world.signInAdmin()
  const { data, errors } = await world.ask(introspection, {}, { token })
  expect(errors).toBeUndefined()
  const names = data.__schema.types.map(({ name }: { name: string }) => name)
  expect(names).toContain('TrafficEvent')
  expect(names).not.toContain('_Entity')
  const own = await world.ask('{ me { email isAdmin } relays { id } plans { id } }', {}, { token })
  expect(own.data.me).toEqual({ email: world.firstAdmin.email, isAdmin: true })
  const page = await fetch(`${world.origin}/graphiql`)
  expect(page.status).toBe(200)
})

test('the first start makes one admin, and no later start another', async () => {
  const admins = () =>
    world.sql<{ email: string }>('select email from identity."user" where is_admin')
  expect(await admins()).toEqual([{ email: world.firstAdmin.email }])
  await world.stop('identity')
  expect(await world.start('identity')).toBeNull()
  expect(await admins()).toEqual([{ email: world.firstAdmin.email }])
  expect(await world.signInAdmin()).toBeTypeOf('string')
})

test('no subgraph answers who comes without the gateway’s header, with one for another, or with a client’s own', async () => {
  const signer = createInternalSigner(await openSigningKeys(world.internalJwks))
  const principal = memberOf(owner.organizationId)
  for (const [name, url] of Object.entries(world.subgraphUrls)) {
    const other = name === 'billing' ? 'domains' : 'billing'
    const tries: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${owner.token}` },
      { [internalHeader]: owner.token },
      { [internalHeader]: await signer.headerFor(principal, other) },
    ]
    for (const headers of tries) {
      for (const query of ['{ __typename }', '{ _service { sdl } }', getIntrospectionQuery()]) {
        const response = await fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ query }),
        })
        expect([name, response.status]).toEqual([name, 401])
        expect(response.headers.get('sluice-error')).toBe('SLUICE_UNAUTHENTICATED')
      }
    }
    const message = await firstAnswerOf(`${url.replace('http', 'ws')}/graphql`)
    expect(message).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'SLUICE_UNAUTHENTICATED' } }],
    })
  }
})

test('a header that a client sends to the gateway never makes it somebody else', async () => {
  const signer = createInternalSigner(await openSigningKeys(world.internalJwks))
  const response = await fetch(`${world.origin}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${stranger.token}`,
      [internalHeader]: await signer.headerFor(memberOf(owner.organizationId), 'tunnels'),
      'x-sluice-refresh-token': 'forged',
    },
    body: JSON.stringify({ query: '{ tunnel(id: "' + tunnel.id + '") { id } me { email } }' }),
  })
  expect(await response.json()).toEqual({ data: { tunnel: null, me: { email: stranger.email } } })
})

/** Every entity with the fields that a subgraph adds to it, asked as the gateway asks. */
const representations = [
  ['identity', 'Organization', () => owner.organizationId, 'name slug'],
  ['identity', 'User', () => owner.userId, 'email name'],
  [
    'tunnels',
    'Organization',
    () => owner.organizationId,
    'tunnels { nodes { id } } requests { nodes { id } }',
  ],
  ['tunnels', 'Tunnel', () => tunnel.id, 'name policy { allowIps }'],
  ['tunnels', 'CapturedRequest', () => requestId, 'path visitorIp'],
  ['domains', 'Organization', () => owner.organizationId, 'customDomains { nodes { domain } }'],
  ['domains', 'Tunnel', () => tunnel.id, 'customDomains { domain }'],
  ['domains', 'CustomDomain', () => domainId, 'domain dnsRecords { value }'],
  [
    'billing',
    'Organization',
    () => owner.organizationId,
    'plan { id } usage { requests { used } } entitlements { maxTunnels }',
  ],
] as const

test.for(representations)(
  '%s shows a foreign %s to nobody, whoever made the representation',
  async ([name, type, idOf, fields]) => {
    const signer = createInternalSigner(await openSigningKeys(world.internalJwks))
    const ask = async (principal: Principal) => {
      const response = await fetch(`${world.subgraphUrls[name]}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [internalHeader]: await signer.headerFor(principal, name),
        },
        body: JSON.stringify({
          query: `query($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${fields} } } }`,
          variables: { r: [{ __typename: type, id: idOf() }] },
        }),
      })
      return (await response.json()) as { data: { _entities: unknown[] } }
    }
    const own = { ...memberOf(owner.organizationId), id: owner.userId, userId: owner.userId }
    await eventually(async () => valuesOf((await ask(own)).data._entities).length > 0)
    for (const principal of [memberOf(stranger.organizationId), anonymous]) {
      const { data } = await ask(principal)
      expect(valuesOf(data._entities)).toEqual([])
    }
  },
)

/** What is told: everything but null and the empty. */
function valuesOf(value: unknown): unknown[] {
  if (value === null || value === undefined) return []
  if (typeof value !== 'object') return [value]
  return Object.values(value).flatMap(valuesOf)
}

/** The answer to a subscription that carries no token. */
function firstAnswerOf(url: string): Promise<unknown> {
  const socket = new WebSocket(url, 'graphql-transport-ws')
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init' })))
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string }
      if (message.type === 'connection_ack') {
        const payload = { query: '{ __typename }' }
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }))
        return
      }
      resolve(message)
      socket.close()
    })
  })
}
