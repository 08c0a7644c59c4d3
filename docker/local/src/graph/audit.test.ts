import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import { auditHash, noPreviousHash } from '@sluice/schema/audit-chain'
import { buildSchema, getNamedType, isInputObjectType, type GraphQLInputType } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { withoutIds } from './audit-walk.ts'
import { createTunnel } from './traffic.ts'
import { eventually, openWorld, type Person, type World } from './world.ts'

let world: World
let owner: Person
let authtoken: string

interface Exported {
  action: string
  actorKind: string
  actorName: string
  sequence: number | null
  hash: string
}

const get = (path: string, token: string | undefined) =>
  fetch(`${world.origin}${path}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })

async function exported(): Promise<Exported[]> {
  const answer = await get('/v1/admin/audit/export?format=jsonl', owner.token)
  expect(answer.status).toBe(200)
  const lines = (await answer.text()).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Exported)
}

beforeAll(async () => {
  world = await openWorld()
  owner = await world.signUp('auditor')
  const made = await world.ask(
    'mutation($id: ID!) { createAuthtoken(organizationId: $id, name: "laptop") { secret } }',
    { id: owner.organizationId },
    { token: owner.token },
  )
  authtoken = made.data.createAuthtoken.secret
})
afterAll(() => world?.[Symbol.asyncDispose]())

test('what other subgraphs do arrives, with the name of whoever did it, and the chain holds all of it', async () => {
  await createTunnel(world, { ...owner, token: authtoken })
  await createTunnel(world, owner)

  await eventually(async () => {
    const rows = await exported()
    const told = rows.filter(
      ({ action }) => action === 'tunnel.created' || action === 'plan.started',
    )
    return told.length === 3 && rows.every(({ sequence }) => sequence !== null)
  })

  const rows = await exported()
  const makers = rows
    .filter(({ action }) => action === 'tunnel.created')
    .map(({ actorKind, actorName }) => `${actorKind} ${actorName}`)
  expect(makers.toSorted()).toEqual(['authtoken laptop (auditor)', 'user auditor'])
  let previous = noPreviousHash
  for (const { hash, ...row } of rows) {
    expect(auditHash(row as unknown as Parameters<typeof auditHash>[0], previous)).toBe(hash)
    previous = hash
  }
  const integrity = await get('/v1/admin/audit/integrity', owner.token)
  expect(await integrity.json()).toMatchObject({ ok: true, count: rows.length, firstBad: null })
})

test('an event that is told twice is one entry', async () => {
  const count = () =>
    world.sql<{ count: number }>('select count(*)::int as count from identity.audit_entry')
  const before = await count()
  await world.sql('update tunnels.outbox_event set published_at = null')

  await eventually(
    async () =>
      (await world.sql('select 1 from tunnels.outbox_event where published_at is null')).length ===
      0,
  )
  await createTunnel(world, owner)
  const after = (before[0]?.count ?? 0) + 1
  await eventually(async () => (await count())[0]?.count === after)
  expect(await count()).toEqual([{ count: after }])
})

test('the REST paths are for those who may read the audit', async () => {
  const stranger = await world.signUp('stranger')
  const foreign = `organizationId=${owner.organizationId}`

  for (const path of ['/v1/admin/audit/export', '/v1/admin/audit/integrity']) {
    const answers = [
      await get(path, undefined),
      await get(`${path}?${foreign}`, stranger.token),
      await get(path, authtoken),
    ]
    expect(answers.map(({ status }) => status)).toEqual([401, 404, 403])
  }
  const csv = await get('/v1/admin/audit/export?format=csv', owner.token)
  expect(csv.headers.get('content-type')).toContain('text/csv')
  expect(csv.headers.get('content-disposition')).toMatch(/attachment; filename="audit-.*\.csv"/)
  const bad = await get('/v1/admin/audit/export?format=xls', owner.token)
  expect(bad.status).toBe(400)
})

const takesId = (type: GraphQLInputType): boolean => {
  const named = getNamedType(type)
  if (named.name === 'ID') return true
  return isInputObjectType(named) && Object.values(named.getFields()).some((f) => takesId(f.type))
}

test('every mutation beyond the walk says what it records, and that is recorded somewhere', () => {
  const path = createRequire(import.meta.url).resolve('@sluice/schema/api.graphql')
  const mutations = buildSchema(readFileSync(path, 'utf8')).getMutationType()?.getFields() ?? {}
  const beyond = Object.values(mutations)
    .filter(({ args }) => !args.some(({ type }) => takesId(type)))
    .map(({ name }) => name)
  const folder = join(import.meta.dirname, '../../../../subgraphs')
  const sources = globSync('*/src/**/*.ts', { cwd: folder })
    .filter((file) => !file.endsWith('.test.ts') && !file.endsWith('audit/audit.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
  const recorded = (action: string) => sources.some((text) => text.includes(`'${action}'`))

  expect(Object.keys(withoutIds).toSorted()).toEqual(beyond.toSorted())
  const unheard = Object.values(withoutIds).flatMap((one) =>
    'action' in one && !recorded(one.action) ? [one.action] : [],
  )
  expect(unheard).toEqual([])
})
