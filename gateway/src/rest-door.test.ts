import type { RestRoute } from '@sluice/kit/rest'
import { SluiceError } from '@sluice/schema/errors'
import { expect, test } from 'vitest'

import { memberPrincipal } from './testing/principals.ts'
import { createWorld } from './testing/world.ts'

/** Tells what reached it. */
function echo(method: RestRoute['method'], path: string): RestRoute {
  return {
    method,
    path,
    handle: ({ params, query, caller, cookie, body }) => ({
      status: 200,
      body: {
        params,
        query: Object.fromEntries(query),
        principal: caller.principal,
        visitorIp: caller.visitorIp,
        authorization: caller.header('authorization'),
        etag: caller.header('if-match'),
        own: cookie('sluice_state'),
        foreign: cookie('tracking'),
        body: body.toString(),
      },
    }),
  }
}

test('a path outside the graph reaches its subgraph with the signed word who asks, and with nothing else of the client’s', async () => {
  await using world = await createWorld({ rest: [echo('PATCH', '/v1/admin/members/:id')] })
  const ada = memberPrincipal()

  const response = await fetch(`${world.origin}/v1/admin/members/a%20b?first=2`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${world.signIn(ada)}`,
      cookie: 'sluice_state=s; tracking=t',
      'x-sluice-internal': 'forged',
      'if-match': '"7"',
    },
    body: '{}',
  })

  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({
    params: { id: 'a b' },
    query: { first: '2' },
    principal: ada,
    visitorIp: '127.0.0.1',
    authorization: null,
    etag: '"7"',
    own: null,
    foreign: null,
    body: '{}',
  })
})

test('a credential that only the subgraph knows travels on, and a browser brings our own cookies and no credential', async () => {
  await using world = await createWorld({
    rest: [echo('GET', '/scim/v2/Users'), echo('GET', '/auth/google/callback')],
  })
  const headers = { authorization: 'Bearer slc_token', cookie: 'tracking=t; sluice_state=s' }

  const scim = await fetch(`${world.origin}/scim/v2/Users`, { headers })
  const browser = await fetch(`${world.origin}/auth/google/callback`, { headers })

  const anonymous = { principal: { kind: 'anonymous' } }
  expect(await scim.json()).toMatchObject({
    ...anonymous,
    authorization: 'Bearer slc_token',
    own: null,
  })
  expect(await browser.json()).toMatchObject({
    ...anonymous,
    authorization: null,
    own: 's',
    foreign: null,
  })
})

test('answers come back with their status, place, cookies and form, however long they are', async () => {
  const piece = 'x'.repeat(64 * 1024)
  await using world = await createWorld({
    rest: [
      {
        method: 'POST',
        path: '/auth/saml/acs',
        handle: ({ caller }) => {
          caller.setHeader('x-sluice-set-cookie', 'sluice_refresh=r')
          return {
            status: 303,
            headers: { location: '/', 'set-cookie': ['sluice_state=; Max-Age=0'] },
          }
        },
      },
      {
        method: 'GET',
        path: '/v1/admin/audit/export',
        handle: () => ({
          status: 200,
          headers: { 'content-type': 'text/csv', 'x-internal': 'kept back' },
          body: (async function* () {
            for (let sent = 0; sent < 64; sent += 1) yield piece
          })(),
        }),
      },
    ],
  })

  const callback = await fetch(`${world.origin}/auth/saml/acs`, {
    method: 'POST',
    redirect: 'manual',
  })
  const exported = await fetch(`${world.origin}/v1/admin/audit/export`)

  expect(callback.status).toBe(303)
  expect(callback.headers.get('location')).toBe('/')
  expect(callback.headers.getSetCookie()).toEqual(['sluice_state=; Max-Age=0', 'sluice_refresh=r'])
  expect(exported.headers.get('content-type')).toBe('text/csv')
  expect(exported.headers.get('x-internal')).toBeNull()
  expect((await exported.text()).length).toBe(64 * piece.length)
})

test('an answer that breaks off half-way is never taken for a whole one', async () => {
  await using world = await createWorld({
    rest: [
      {
        method: 'GET',
        path: '/v1/admin/audit/export',
        handle: () => ({
          status: 200,
          body: (async function* () {
            yield 'half'
            await Promise.resolve()
            throw new Error('the database is gone')
          })(),
        }),
      },
    ],
  })

  const response = await fetch(`${world.origin}/v1/admin/audit/export`)

  await expect(response.text()).rejects.toThrow('terminated')
})

const exportPath = '/v1/account/export'
const others = ['tunnels', 'domains', 'billing'] as const

/** Each part as many pieces, or without an end; which were asked for, and which have ended. */
function exports({ pieces = 500 } = {}) {
  const asked: string[] = []
  const ended: string[] = []
  const route = (name: string): RestRoute => ({
    method: 'GET',
    path: exportPath,
    handle: ({ caller }) => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: (async function* () {
        asked.push(name)
        try {
          yield `{"of":"${caller.principal.userId}","rows":[0`
          for (let row = 0; row < pieces; row += 1) yield `,"${String(row).padEnd(1_000)}"`
          yield ']}'
        } finally {
          ended.push(name)
        }
      })(),
    }),
  })
  const rest = [route('identity')]
  const otherRest = Object.fromEntries(others.map((name) => [name, [route(name)]]))
  return { rest, otherRest, asked, ended }
}

test('what each subgraph keeps of a person is one document, each part made while it is read', async () => {
  const { rest, otherRest, asked } = exports()
  await using world = await createWorld({ rest, otherRest })
  const ada = memberPrincipal()
  const headers = { authorization: `Bearer ${world.signIn(ada)}` }

  const head = await fetch(`${world.origin}${exportPath}`, { method: 'HEAD', headers })
  expect(head.status).toBe(200)
  expect(asked).toEqual([])

  const response = await fetch(`${world.origin}${exportPath}`, { headers })
  expect(response.status).toBe(200)
  const document = (await response.json()) as Record<string, { of: string; rows: unknown[] }>
  expect(Object.keys(document)).toEqual(['identity', ...others])
  for (const part of Object.values(document)) {
    expect(part.of).toBe(ada.userId)
    expect(part.rows).toHaveLength(501)
  }
})

test('a person who leaves in the middle of their export leaves nothing running', async () => {
  const { rest, otherRest, ended } = exports({ pieces: Infinity })
  await using world = await createWorld({ rest, otherRest })
  const headers = { authorization: `Bearer ${world.signIn(memberPrincipal())}` }
  const gone = new AbortController()
  const response = await fetch(`${world.origin}${exportPath}`, { headers, signal: gone.signal })
  await response.body?.getReader().read()

  gone.abort()

  await expect
    .poll(() => ended.toSorted(), { timeout: 15_000 })
    .toEqual(['identity', ...others].toSorted())
})

test('an export that one part cannot give is refused as a whole', async () => {
  const { rest, otherRest } = exports()
  await using world = await createWorld({ rest, otherRest })
  const headers = { authorization: `Bearer ${world.signIn(memberPrincipal())}` }
  await world.stop('billing')

  const response = await fetch(`${world.origin}${exportPath}`, { headers })

  expect(response.status).toBe(503)
  expect(response.headers.get('sluice-error')).toBe('SLUICE_SUBGRAPH_UNAVAILABLE')
  await response.text()
  await world.restart('billing')
  const again = await fetch(`${world.origin}${exportPath}`, { headers })
  expect(Object.keys((await again.json()) as object)).toHaveLength(4)
})

test('a refusal of the first part is the answer, and the others are not asked', async () => {
  const { otherRest, asked } = exports()
  const refusing: RestRoute = {
    method: 'GET',
    path: exportPath,
    handle() {
      throw new SluiceError('SLUICE_REAUTHENTICATION_NEEDED')
    },
  }
  await using world = await createWorld({ rest: [refusing], otherRest })

  const response = await fetch(`${world.origin}${exportPath}`)

  expect(response.headers.get('sluice-error')).toBe('SLUICE_REAUTHENTICATION_NEEDED')
  expect(asked).toEqual([])
})

test.for([
  ['a token that is none', 'GET', '/v1/admin/sso', '', 401, 'SLUICE_UNAUTHENTICATED'],
  ['a method that the path has not', 'DELETE', '/v1/admin/sso', '', 405, null],
  ['a path that nobody has', 'GET', '/v1/admin/other', '', 404, null],
  ['a method that is none of ours', 'PROPFIND', '/v1/admin/sso', '', 405, null],
  [
    'a body too large',
    'POST',
    '/v1/auth/token/revoke',
    'x'.repeat(65 * 1024),
    413,
    'SLUICE_BODY_TOO_LARGE',
  ],
  ['a refusal of the subgraph', 'GET', '/v1/admin/sso', '', 403, 'SLUICE_FORBIDDEN'],
] as const)(
  '%s is refused with its status and code',
  async ([what, method, path, body, status, code]) => {
    await using world = await createWorld({
      rest: [
        {
          method: 'GET',
          path: '/v1/admin/sso',
          handle() {
            throw new SluiceError('SLUICE_FORBIDDEN')
          },
        },
      ],
    })

    const headers = what.startsWith('a token') ? { authorization: 'Bearer nothing' } : {}
    const response = await fetch(`${world.origin}${path}`, { method, headers, body: body || null })

    expect(response.status).toBe(status)
    expect(response.headers.get('sluice-error')).toBe(code)
  },
)

test('a subgraph that is down is an error with a code, and no address', async () => {
  await using world = await createWorld()
  await world.stop('identity')

  const response = await fetch(`${world.origin}/scim/v2/Users`)

  expect(response.status).toBe(503)
  expect(response.headers.get('sluice-error')).toBe('SLUICE_SUBGRAPH_UNAVAILABLE')
  expect(await response.text()).not.toContain('127.0.0.1')
})
