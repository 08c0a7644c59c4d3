import type { Principal } from '@sluice/kit/principal'
import { getIntrospectionQuery } from 'graphql'
import { createClient } from 'graphql-ws'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { documentIdOf } from '../document-id.ts'
import { fixtureSdl } from '../testing/fixture-subgraphs.ts'
import { apiKeyPrincipal, memberPrincipal } from '../testing/principals.ts'
import { codeOf, composed, createWorld, type GraphAnswer, type World } from '../testing/world.ts'

interface PublicAnswer extends Pick<GraphAnswer, 'status' | 'headers' | 'data' | 'errors'> {
  readonly extensions?: { readonly cost?: unknown }
}

/** Asks as a partner does; without a principal as nobody. */
function asker(world: World, principal: Principal | null = apiKeyPrincipal()) {
  const token = principal && world.signIn(principal)
  return async (body: object): Promise<PublicAnswer> => {
    const response = await fetch(`${world.origin}/public/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: JSON.stringify(body),
    })
    const { status, headers } = response
    return { status, headers, ...((await response.json()) as object) } as PublicAnswer
  }
}

const pages = '{ mine { organization { name tunnels { name } } } }'

test('a partner asks over all subgraphs and is told the cost', async () => {
  await using world = await createWorld()

  const answer = await asker(world)({ query: pages })

  expect(answer.data).toEqual({
    mine: {
      organization: { name: 'organization o1', tunnels: [{ name: 'one' }, { name: 'one' }] },
    },
  })
  expect(answer.extensions).toEqual({ cost: { requested: 52, max: 2_500, remaining: 19_948 } })
  expect(answer.headers.get('ratelimit-policy')).toBe('"requests";q=600;w=60, "cost";q=20000;w=60')
  expect(answer.headers.get('ratelimit')).toMatch(/^"requests";r=599;t=\d+, "cost";r=19948;t=\d+$/)
})

test('what is not in the contract is not there', async () => {
  await using world = await createWorld()
  const ask = asker(world)

  for (const query of ['{ me { name } }', '{ mine { owner { name } } }', '{ mine { id } }']) {
    expect(codeOf(await ask({ query }))).toBe('SLUICE_DOCUMENT_INVALID')
  }
  const { data } = await ask({ query: getIntrospectionQuery() })
  expect(JSON.stringify(data)).toContain('"whoami"')
  expect(JSON.stringify(data)).not.toMatch(/"(me|slug|orgComputed|_entities|Thing)"/)
})

test('API keys come in, and nobody else; and here alone', async () => {
  await using world = await createWorld()
  const query = '{ whoami }'
  const partner = apiKeyPrincipal()

  expect((await asker(world, partner)({ query })).data).toEqual({ whoami: partner.id })
  expect(codeOf(await asker(world, null)({ query }))).toBe('SLUICE_UNAUTHENTICATED')
  for (const principal of [memberPrincipal(), memberPrincipal({ isAdmin: true })]) {
    const answer = await asker(world, principal)({ query })
    expect([answer.status, codeOf(answer)]).toEqual([403, 'SLUICE_API_KEY_NEEDED'])
  }
  const elsewhere = await world.query(query, world.signIn(partner))
  expect(codeOf(elsewhere)).toBe('SLUICE_API_KEY_NOT_HERE')
})

test('an alias forges no key, though the key is not in the contract', async () => {
  await using world = await createWorld()
  const ask = asker(world)

  for (const alias of ['id', 'org', 'status', '__typename']) {
    const answer = await ask({ query: `{ mine { ${alias}: mirror(x: "VICTIM") computed } }` })
    expect(codeOf(answer)).toBe('SLUICE_ALIAS_SHADOWS_FIELD')
  }
  expect((await ask({ query: '{ mine { echo: mirror(x: "x") } }' })).data).toEqual({
    mine: { echo: 'x' },
  })
})

test('an operation that may cost too much never reaches a subgraph', async () => {
  await using world = await createWorld({ limits: { publicCostMax: 100 } })
  const ask = asker(world)

  const twice =
    '{ a: mine { ...F } b: mine { ...F } } fragment F on Tunnel { organization { tunnels { name } } }'
  const answer = await ask({ query: twice })

  expect([answer.status, codeOf(answer)]).toEqual([400, 'SLUICE_COST_EXCEEDED'])
  expect(answer.errors?.[0]?.extensions).toMatchObject({ requested: 104, max: 100 })
  expect(world.calls).toEqual([])
})

test('a key that has spent its minute waits, and no other key does', async () => {
  await using world = await createWorld({ limits: { publicCostPerMinute: 100 } })
  const ask = asker(world)
  await ask({ query: pages })

  const late = await ask({ query: pages })

  expect([late.status, codeOf(late)]).toEqual([429, 'SLUICE_RATE_LIMITED'])
  expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(Number(late.headers.get('retry-after'))).toBeLessThanOrEqual(60)
  expect(late.headers.get('ratelimit')).toContain('"cost";r=48;')
  // What was refused has cost nothing, and what is cheaper may still go.
  expect((await ask({ query: '{ whoami }' })).status).toBe(200)
  expect((await asker(world)({ query: pages })).status).toBe(200)
})

test('requests count by key, at the number that the key was given, also when they are refused', async () => {
  await using world = await createWorld()
  const ask = asker(world, apiKeyPrincipal({ requestsPerMinute: 2 }))

  const answers = [await ask({ query: '{ nothing }' }), await ask({ query: '{ whoami }' })]
  const late = await ask({ query: '{ whoami }' })

  expect(answers.map(({ status }) => status)).toEqual([400, 200])
  expect([late.status, codeOf(late)]).toEqual([429, 'SLUICE_RATE_LIMITED'])
  expect(late.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+$/)
})

test('budgets are kept while Redis is away', async () => {
  // Nobody listens there: whoever asks is refused at once.
  await using world = await createWorld({ redisUrl: 'redis://127.0.0.1:1' })
  const ask = asker(world, apiKeyPrincipal({ requestsPerMinute: 2 }))

  const statuses = []
  for (let n = 0; n < 3; n += 1) statuses.push((await ask({ query: '{ whoami }' })).status)

  expect(statuses).toEqual([200, 200, 429])
})

test('a document can be sent by its SHA-256 once it was sent whole', async () => {
  await using world = await createWorld()
  const ask = asker(world)
  const documentId = `sha256:${documentIdOf('{ whoami }')}`

  expect(codeOf(await ask({ documentId }))).toBe('SLUICE_DOCUMENT_UNKNOWN')
  await ask({ query: '{ whoami }' })

  expect((await ask({ documentId })).status).toBe(200)
})

test('events come over graphql-ws, to keys alone', async () => {
  await using world = await createWorld()
  const open = (principal: Principal) =>
    createClient({
      url: world.socketUrl.replace('/graphql', '/public/graphql'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${world.signIn(principal)}` },
    })
  const query = 'subscription { events(tunnelId: "t1") { n } }'
  const stranger = open(memberPrincipal())
  await expect(stranger.iterate({ query }).next()).rejects.toMatchObject({ code: 4403 })

  const partner = open(apiKeyPrincipal())
  const events = partner.iterate({ query })
  const first = events.next()
  await world.lives(1)
  world.emit({ n: 1 })

  expect((await first).value).toEqual({ data: { events: { n: 1 } } })
  await events.return?.()
  await partner.dispose()
})

test('a subscription pays for every ten events, and ends when its key has nothing left', async () => {
  // Ten events of it cost 10.
  await using world = await createWorld({ limits: { publicCostPerMinute: 25 } })
  const partner = createClient({
    url: world.socketUrl.replace('/graphql', '/public/graphql'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${world.signIn(apiKeyPrincipal())}` },
  })
  const events = partner.iterate({ query: 'subscription { events(tunnelId: "t1") { n } }' })
  const first = events.next()
  await world.lives(1)
  world.emit({ n: 1 })
  await first

  for (let n = 2; n <= 21; n += 1) {
    world.emit({ n })
    expect((await events.next()).value).toEqual({ data: { events: { n } } })
  }

  expect((await events.next()).value).toMatchObject({
    errors: [
      {
        extensions: {
          code: 'SLUICE_RATE_LIMITED',
          retryAfterSeconds: expect.any(Number) as number,
        },
      },
    ],
  })
  expect((await events.next()).done).toBe(true)
  await world.lives(0)
  await partner.dispose()
})

test('a reload brings another contract, and one without any is refused', async () => {
  await using world = await createWorld()
  const ask = asker(world)
  const closed = fixtureSdl.identity.replace(
    'whoami: String! @tag(name: "public")',
    'whoami: String!',
  )

  world.gateway.reload(composed({ ...fixtureSdl, identity: closed }))
  expect(codeOf(await ask({ query: '{ whoami }' }))).toBe('SLUICE_DOCUMENT_INVALID')

  const untagged = Object.entries(fixtureSdl).map(([name, sdl]) => [
    name,
    sdl.replaceAll('@tag(name: "public")', ''),
  ])
  expect(() => world.gateway.reload(composed(Object.fromEntries(untagged)))).toThrow(
    'no public field',
  )
  expect((await ask({ query: '{ mine { name } }' })).status).toBe(200)
})
