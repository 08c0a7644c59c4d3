import { forkSystem } from '@sluice/kit/database'
import { anonymous, type Principal } from '@sluice/kit/principal'
import type { RestMethod } from '@sluice/kit/rest'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openWorld, type Person, type World } from '../testing.ts'
import { memberRoutes } from './member-routes.ts'
import { Member } from './member.entity.ts'

let world: World
let owner: Person
let member: Person
let memberId: string
beforeAll(async () => {
  world = await openWorld()
  ;[owner, member] = [await world.person('Olga'), await world.person('Otto')]
  memberId = (await world.join(owner.organizationId, member, 'DEVELOPER')).id
})
afterAll(() => world[Symbol.asyncDispose]())

async function ask(
  as: Person | null,
  method: RestMethod,
  path = '',
  { body, query = {} }: { body?: unknown; query?: Record<string, string> } = {},
) {
  const principal: Principal = as ? (await as.context()).principal : anonymous
  const route = memberRoutes(world.deps).find(
    (one) => one.method === method && one.path.endsWith(':memberId') === (path !== ''),
  )
  const answer = await route?.handle({
    method,
    path: `/v1/admin/members${path}`,
    params: { memberId: path.slice(1) },
    query: new URLSearchParams(query),
    caller: {
      principal,
      requestId: crypto.randomUUID(),
      visitorIp: '192.0.2.1',
      signal: undefined,
      header: () => null,
      setHeader: () => undefined,
    },
    body: Buffer.alloc(0),
    json: () => body ?? {},
    form: () => new URLSearchParams(),
    cookie: () => null,
  })
  return answer as { status: number; body: unknown }
}

test('members are listed in pages, with what they may do', async () => {
  const first = await ask(owner, 'GET', '', { query: { first: '1' } })
  const { next } = first.body as { next: string }
  const second = await ask(owner, 'GET', '', { query: { first: '1', after: next } })

  expect(first.body).toMatchObject({
    members: [{ id: memberId, role: 'DEVELOPER', user: { email: member.email, name: 'Otto' } }],
  })
  expect(second.body).toMatchObject({ members: [{ role: 'OWNER' }], next: null })
})

test('somebody is invited, gets another role and is taken out by the rules of the graph', async () => {
  const invited = await ask(owner, 'POST', '', {
    body: { email: 'new@example.test', role: 'VIEWER' },
  })
  expect(invited).toMatchObject({
    status: 201,
    body: { invitation: { email: 'new@example.test', role: 'VIEWER' } },
  })
  const person = await world.person('Ida')
  const { id } = await world.join(owner.organizationId, person, 'VIEWER')

  const changed = await ask(owner, 'PATCH', `/${id}`, { body: { role: 'ADMIN' } })
  expect(changed).toMatchObject({ status: 200, body: { id, role: 'ADMIN' } })
  expect(await ask(owner, 'DELETE', `/${id}`)).toEqual({ status: 204 })

  expect(await forkSystem(world.db.orm).count(Member, { id })).toBe(0)
})

test('nobody does by REST what the graph refuses', async () => {
  const stranger = await world.person('Sid')
  const { organizationId } = owner
  const named = { query: { organizationId } }
  const refusals = [
    [() => ask(null, 'GET'), 'SLUICE_UNAUTHENTICATED'],
    [() => ask(null, 'DELETE', `/${memberId}`), 'SLUICE_UNAUTHENTICATED'],
    [() => ask(stranger, 'GET', '', named), 'SLUICE_ORGANIZATION_NOT_FOUND'],
    [() => ask(stranger, 'DELETE', `/${memberId}`), 'SLUICE_MEMBER_NOT_FOUND'],
    [() => ask(member, 'GET', '', named), 'SLUICE_FORBIDDEN'],
    [() => ask(member, 'GET'), 'SLUICE_INPUT_INVALID'],
    [() => ask(member, 'PATCH', `/${memberId}`, { body: { role: 'OWNER' } }), 'SLUICE_FORBIDDEN'],
    [() => ask(owner, 'PATCH', `/${memberId}`, { body: { role: 'KING' } }), 'SLUICE_INPUT_INVALID'],
    [() => ask(owner, 'PATCH', `/${memberId}`, { body: {} }), 'SLUICE_INPUT_INVALID'],
    [
      () => ask(owner, 'POST', '', { body: { email: 'x', role: 'VIEWER' } }),
      'SLUICE_INPUT_INVALID',
    ],
    [() => ask(owner, 'GET', '', { query: { first: 'all' } }), 'SLUICE_INPUT_INVALID'],
    [
      () => ask(owner, 'GET', '', { query: { organizationId: "' or 1=1" } }),
      'SLUICE_ORGANIZATION_NOT_FOUND',
    ],
  ] as const

  for (const [asking, code] of refusals) await expect(asking()).rejects.toMatchObject({ code })
})
