import { forkSystem } from '@sluice/kit/database'
import { startRedis } from '@sluice/kit/engines'
import { createInternalSigner, internalHeader } from '@sluice/kit/internal-token'
import { silentLog } from '@sluice/kit/log'
import { anonymous, gatewayPrincipal, type Principal } from '@sluice/kit/principal'
import { openChannelHub } from '@sluice/kit/redis'
import { generatePrivateJwks, openSigningKeys } from '@sluice/kit/signing-keys'
import { unusedPort } from '@sluice/kit/unused-port'
import { freeEntitlements, type EventEnvelope } from '@sluice/schema/events'
import { redisChannels, redisKeys, type Revocation } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { expect, test } from 'vitest'

import { createServer } from './server.ts'
import { openServer, signUp } from './testing-server.ts'

test('what billing tells of a plan holds for the members of that organization', async () => {
  await using server = await openServer()
  const redis = new Redis(server.redisUrl)
  const organizationId = crypto.randomUUID()
  const event: EventEnvelope = {
    id: crypto.randomUUID(),
    name: 'entitlements.changed',
    entity: `organization:${organizationId}`,
    version: 1,
    occurredAt: new Date().toISOString(),
    payload: {
      organizationId,
      planId: 'pro',
      entitlements: { ...freeEntitlements, maxMembers: 25 },
    },
  }

  await redis.xadd(redisKeys.events, '*', 'event', JSON.stringify(event))
  redis.disconnect()

  await expect
    .poll(() =>
      forkSystem(server.db.orm).execute(
        'select organization_id, max_members from identity.allowance',
      ),
    )
    .toEqual([{ organization_id: organizationId, max_members: 25 }])
})

test('a browser’s sign-in travels as token and cookie, goes on by the cookie, and ends', async () => {
  await using server = await openServer()
  const { data, setCookie } = await server.graph(signUp)
  const [name, refreshToken = ''] = setCookie?.split(';')[0]?.split('=') ?? []
  const credential = { kind: 'sign-in', token: data?.['signUp']?.accessToken }
  const gateway = await server.headerFor(gatewayPrincipal)
  const answer = await server.authenticate({ credential, ip: '192.0.2.1' }, gateway)
  const { principal } = (await answer.json()) as { principal: Principal; expiresAt: string }
  const headers = { 'x-sluice-refresh-token': refreshToken }

  const me = await server.graph('{ me { id email } }', { principal })
  const refreshed = await server.graph('mutation { refreshSignIn { user { id } } }', { headers })
  const out = await server.graph('mutation { signOut }', { principal })
  const after = await server.authenticate({ credential, ip: '192.0.2.1' }, gateway)

  expect(name).toBe('sluice_refresh')
  expect(setCookie).toMatch(/; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/)
  expect(me.data?.['me']).toEqual({ id: principal.userId, email: 'ada@example.test' })
  expect(refreshed.data?.['refreshSignIn']?.user.id).toBe(principal.userId)
  expect(refreshed.setCookie).toContain('.1.')
  expect(out.setCookie).toMatch(/^sluice_refresh=; Max-Age=0;/)
  expect(after.status).toBe(401)
  expect(await after.json()).toMatchObject({ code: 'SLUICE_UNAUTHENTICATED' })
})

test('an https console has a cookie that only its own host can set', async () => {
  await using server = await openServer({ consoleOrigin: 'https://console.example.test' })

  const { setCookie } = await server.graph(signUp)

  expect(setCookie).toMatch(
    /^__Host-sluice_refresh=.+; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  )
})

test('nobody but the gateway gets an answer, not even to introspection', async () => {
  await using server = await openServer()
  const headers = [
    undefined,
    'x',
    await server.headerFor(anonymous, 'tunnels'),
    await createInternalSigner(await openSigningKeys(await generatePrivateJwks(1))).headerFor(
      anonymous,
      'identity',
    ),
  ]

  for (const header of headers) {
    for (const query of [
      '{ viewer { kind } }',
      '{ __schema { types { name } } }',
      '{ _service { sdl } }',
    ]) {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(header === undefined ? {} : { [internalHeader]: header }),
        },
        body: JSON.stringify({ query }),
      })
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ code: 'SLUICE_UNAUTHENTICATED' })
    }
  }
})

test('credentials are looked up for the gateway only, never for a person through it', async () => {
  await using server = await openServer()
  const body = { credential: { kind: 'authtoken', token: 'slt_x' }, ip: '' }
  const gateway = await server.headerFor(gatewayPrincipal)

  const answers = await Promise.all([
    server.authenticate(body, null),
    server.authenticate(body, await server.headerFor(anonymous)),
    server.authenticate(body, await server.headerFor(gatewayPrincipal, 'billing')),
    server.authenticate(body, gateway),
    server.authenticate({ credential: 'x' }, gateway),
    server.authenticate({ credential: { kind: 'sign-in', token: 'x'.repeat(20_000) } }, gateway),
  ])

  const codes = await Promise.all(
    answers.map(async (answer) => ((await answer.json()) as { code: string }).code),
  )
  expect(codes).toEqual([
    'SLUICE_UNAUTHENTICATED',
    'SLUICE_UNAUTHENTICATED',
    'SLUICE_UNAUTHENTICATED',
    'SLUICE_AUTHTOKEN_INVALID',
    'SLUICE_INPUT_INVALID',
    'SLUICE_BODY_TOO_LARGE',
  ])
})

test('the published keys verify an access token, and are the public halves only', async () => {
  await using server = await openServer()
  const { data } = await server.graph(signUp)
  const token = data?.['signUp']?.accessToken ?? ''

  const { keys } = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as {
    keys: Record<string, string>[]
  }
  const { payload, protectedHeader } = await jwtVerify(
    token,
    createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`)),
    { issuer: 'sluice', audience: 'sluice:gateway', typ: 'at+jwt' },
  )

  expect(keys).toHaveLength(2)
  expect(keys.flatMap((key) => Object.keys(key))).not.toContain('d')
  expect(protectedHeader.kid).toBe(server.serverOptions.signingJwks.keys[0]?.kid)
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900)
  expect(payload).toMatchObject({ sub: data?.['signUp']?.user.id, sid: expect.any(String) })
})

test('a rotation of the signing keys signs nobody out', async () => {
  await using server = await openServer()
  const { data, setCookie } = await server.graph(signUp)
  const credential = { kind: 'sign-in', token: data?.['signUp']?.accessToken }
  const refreshToken = setCookie?.split(';')[0]?.split('=')[1] ?? ''
  await server.server.close()

  const { serverOptions } = server
  const keys = serverOptions.signingJwks.keys.toReversed()
  const rotated = await createServer({ ...serverOptions, signingJwks: { keys } })
  const ask = async (path: string, principal: Principal, headers: object, body: object) => {
    const header = await server.headerFor(principal)
    const response = await fetch(`http://127.0.0.1:${rotated.port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [internalHeader]: header, ...headers },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as unknown }
  }
  const known = await ask('/internal/authenticate', gatewayPrincipal, {}, { credential, ip: '' })
  const refreshed = await ask(
    '/graphql',
    anonymous,
    { 'x-sluice-refresh-token': refreshToken },
    { query: 'mutation { refreshSignIn { accessToken } }' },
  )
  await rotated.close()

  expect(known.status).toBe(200)
  const { accessToken } = (refreshed.body as { data: { refreshSignIn: { accessToken: string } } })
    .data.refreshSignIn
  expect(decodeProtectedHeader(accessToken).kid).toBe(keys[0]?.kid)
})

test('a token that another key signed, or that is of another kind, is nobody’s', async () => {
  await using server = await openServer()
  const gateway = await server.headerFor(gatewayPrincipal)
  const claims = {
    iss: 'sluice',
    aud: 'sluice:gateway',
    sub: crypto.randomUUID(),
    sid: crypto.randomUUID(),
  }
  const ours = await openSigningKeys(server.serverOptions.signingJwks)
  const foreign = await openSigningKeys(await generatePrivateJwks())
  const tokens = [
    await foreign.sign('at+jwt', claims, 60),
    await ours.sign('agent+jwt', claims, 60),
    await ours.sign('at+jwt', { ...claims, aud: 'sluice:relay' }, 60),
    await ours.sign('at+jwt', { ...claims, sid: 'x', sub: `' or 1=1` }, 60),
    await ours.sign('at+jwt', claims, -60),
    await ours.sign('at+jwt', claims, 60),
  ]

  for (const token of tokens) {
    const answer = await server.authenticate(
      { credential: { kind: 'sign-in', token }, ip: '' },
      gateway,
    )
    expect(await answer.json()).toMatchObject({ code: 'SLUICE_UNAUTHENTICATED' })
  }
})

test('the first start makes one admin with an organization; later starts and replicas make none', async () => {
  await using server = await openServer()
  const { firstAdmin } = server.server

  const later = await Promise.all([
    createServer(server.serverOptions),
    createServer(server.serverOptions),
  ])
  await Promise.all(later.map((one) => one.close()))
  const { data } = await server.graph(
    `mutation { signIn(email: "${firstAdmin?.email}", password: "${firstAdmin?.password}")
       { user { isAdmin memberships { role organization { slug } } } } }`,
  )

  expect(firstAdmin).toEqual({
    email: 'admin@sluice.local',
    password: expect.stringMatching(/^.{20}$/),
  })
  expect(later.map((one) => one.firstAdmin)).toEqual([null, null])
  expect(data?.['signIn']?.user).toEqual({
    isAdmin: true,
    memberships: [{ role: 'OWNER', organization: { slug: 'operators' } }],
  })
})

test('replicas that start together on an empty database make one admin', async () => {
  await using server = await openServer()
  await server.server.close()
  const { orm } = server.db
  await orm.em.fork().execute('drop schema identity cascade')

  const replicas = await Promise.all([
    createServer(server.serverOptions),
    createServer(server.serverOptions),
    createServer(server.serverOptions),
  ])
  await Promise.all(replicas.map((one) => one.close()))

  expect(replicas.filter((one) => one.firstAdmin !== null)).toHaveLength(1)
})

test('a revocation reaches the gateways through Redis, and a new organization the other subgraphs', async () => {
  await using server = await openServer()
  const hub = openChannelHub(server.redisUrl, silentLog)
  const heard = Promise.withResolvers<Revocation>()
  await hub.subscribe(redisChannels.revocations, (message) => {
    const revocation = JSON.parse(message) as Revocation
    // Channels are shared by all tests of the server.
    if (revocation.id.endsWith(`:${userId}`)) heard.resolve(revocation)
  })
  let userId = ''
  const { data } = await server.graph(signUp)
  userId = data?.['signUp']?.user.id ?? ''
  const principal = { ...anonymous, kind: 'user', id: userId, userId } as const

  await server.graph('mutation { createOrganization(name: "Second") { id } }', { principal })

  expect(await heard.promise).toMatchObject({ kind: 'membership' })
  await hub.close()
  const reader = new Redis(server.redisUrl)
  const names: unknown[] = []
  let after = '0'
  while (!names.includes('Second')) {
    const read = await reader.xread('BLOCK', 10_000, 'STREAMS', redisKeys.events, after)
    for (const [id, [, event = '{}']] of read?.[0]?.[1] ?? []) {
      after = id
      names.push((JSON.parse(event) as { payload: { name: string } }).payload.name)
    }
  }
  expect(names).toEqual(['Operators', 'Ada’s organization', 'Second'])
  reader.disconnect()
})

test('when PostgreSQL cuts every connection, the next request is answered', async () => {
  await using server = await openServer()
  await server.graph(signUp)

  await server.db.orm.em
    .fork()
    .execute(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
  // A request may meet a connection whose end has not been noticed yet.
  let kind: unknown
  while (kind === undefined) {
    const { data, code } = await server.graph('{ organization(id: "x") { id } viewer { kind } }')
    kind = code === undefined ? data?.['viewer'] : undefined
  }

  expect(kind).toEqual({ kind: 'ANONYMOUS' })
})

test('people sign in while Redis is away, and guesses are limited all the same', async () => {
  const redis = await startRedis()
  await using server = await openServer({ redisUrl: redis.url })
  await server.graph(signUp)
  await redis.close()
  const signIn = (password: string) =>
    server.graph(
      `mutation { signIn(email: "ada@example.test", password: "${password}") { user { id } } }`,
    )

  const away = await signIn('correct horse battery')
  const codes = []
  for (let tried = 0; tried < 11; tried += 1) codes.push((await signIn('wrong password')).code)

  expect(away.code).toBeUndefined()
  expect(codes.slice(9)).toEqual(['SLUICE_SIGN_IN_FAILED', 'SLUICE_RATE_LIMITED'])
})

test('without PostgreSQL the start fails and says so', async () => {
  await using server = await openServer()
  const databaseUrl = `postgres://sluice@127.0.0.1:${await unusedPort()}/postgres`

  const start = createServer({ ...server.serverOptions, databaseUrl })

  await expect(start).rejects.toThrow('identity cannot prepare its tables in PostgreSQL')
})

test('whoever calls without the signature of the gateway is seen', async () => {
  await using server = await openServer()
  const unsigned = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ viewer { kind } }"}',
  })

  expect(unsigned.status).toBe(401)
  const seen = async () =>
    server.db.orm.em
      .fork()
      .execute<{ ip: string }[]>(
        `select ip from "identity"."security_anomaly_events" where kind = 'signature-failed'`,
      )
  await expect.poll(seen, { timeout: 15_000 }).toMatchObject([{ ip: expect.any(String) }])
})
