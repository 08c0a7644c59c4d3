import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import {
  buildSchema,
  getNamedType,
  isInputObjectType,
  isLeafType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
} from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { unaudited } from './audit-walk.ts'
import { addMember } from './members.ts'
import { organizationRows, rows, type Ids, type Row, type Verdict } from './tenant-walk.ts'
import { attachDomain, createTunnel, putOnPlan, recordOf, tellRequests } from './traffic.ts'
import {
  codeOf,
  eventually,
  freshIp,
  openWorld,
  password,
  signInText,
  type Person,
  type World,
} from './world.ts'

let world: World
let ids: Ids
let owner: Person
let stranger: Person
let viewer: Person
const authtokens = new Map<string, string>()

const relayId = 'relay-of-walk'

/** What the other subgraphs have told the audit. */
const toldActs = ['tunnels', 'domains', 'billing']
  .map((name) => `select id from ${name}.outbox_event where name = 'act.recorded'`)
  .join(' union all ')

async function registerRelay(): Promise<void> {
  const registered = await world.ask(
    `mutation($id: ID!) { registerRelay(input: { id: $id, region: "eu", edgeUrl: "ws://edge.test",
      publicHttpUrl: "http://tunnel.localhost", version: "1", capacity: 10 }) { id } }`,
    { id: relayId },
    { token: world.relayKey },
  )
  if (registered.errors) throw new TypeError(registered.text)
}

beforeAll(async () => {
  world = await openWorld(Object.values(rows).map(({ document }) => document))
  ;[owner, stranger, viewer] = await Promise.all([
    world.signUp('victim'),
    world.signUp('stranger'),
    world.signUp('viewer'),
  ])
  await putOnPlan(world, owner, 'starter')
  await addMember(world, owner, viewer)
  const { organizationId } = owner
  const tunnel = await createTunnel(world, owner)
  const record = recordOf(tunnel)
  await tellRequests(world, [record])
  await registerRelay()
  ids = {
    organizationId,
    tunnelId: tunnel.id,
    domainId: (await attachDomain(world, owner, tunnel)).id,
    requestId: record.id,
    memberId: await addMember(world, owner, await world.signUp('member')),
    authtokenId: '',
    signInId: await otherSignIn(),
    mailId: crypto.randomUUID(),
    relayId,
    ...(await createWebhook()),
    auditStreamId: await createStream(),
  }
  for (const { authtoken } of [...Object.values(rows), ...Object.values(organizationRows)]) {
    const { scopes } = authtoken
    const key = scopes.join()
    if (authtokens.has(key)) continue
    const made = await world.ask(
      'mutation($id: ID!, $scopes: [AuthtokenScope!]) { createAuthtoken(organizationId: $id, name: "walk", scopes: $scopes) { secret authtoken { id } } }',
      { id: organizationId, scopes },
      { token: owner.token },
    )
    authtokens.set(key, made.data.createAuthtoken.secret)
    ids.authtokenId = made.data.createAuthtoken.authtoken.id
  }
  // What is under way would look like a change later.
  await eventually(async () => {
    const late = `select 1 from (${toldActs}) as told where id not in (select id from identity.audit_entry)`
    return (await world.sql(late)).length === 0
  })
  await eventually(
    async () => (await read(rows['Query.capturedRequest'], owner.token)) === 'allowed',
  )
})
afterAll(() => world[Symbol.asyncDispose]())

/** An endpoint that is off, so that nothing is sent and changes while the test looks, with a delivery. */
async function createWebhook() {
  const ask = async (text: string, variables: object) => {
    const answer = await world.ask(text, { ...variables }, { token: owner.token })
    if (answer.errors) throw new TypeError(answer.text)
    return answer.data
  }
  const { made } = await ask(
    'mutation($id: ID!) { made: createWebhookEndpoint(organizationId: $id, input: { url: "https://hooks.example.com", events: ["domain.added"] }) { endpoint { id } } }',
    { id: owner.organizationId },
  )
  const { id } = made.endpoint
  await ask(
    'mutation($id: ID!) { updateWebhookEndpoint(id: $id, input: { isEnabled: false }) { id } }',
    { id },
  )
  const { sent } = await ask('mutation($id: ID!) { sent: sendTestWebhook(id: $id) { id } }', { id })
  return { webhookEndpointId: id as string, webhookDeliveryId: sent.id as string }
}

/** A second sign-in of the owner, so that ending it ends nothing else. */
async function otherSignIn(): Promise<string> {
  const { token } = await world.signIn(owner.email)
  const { data } = await world.ask('{ signIns { id isCurrent } }', {}, { token })
  return data.signIns.find(({ isCurrent }: { isCurrent: boolean }) => isCurrent).id
}

/** A stream of the audit that is off, so that nothing is sent and changes while the test looks. */
async function createStream(): Promise<string> {
  const made = await world.ask(
    'mutation($id: ID!) { createAuditStream(organizationId: $id, name: "siem", kind: WEBHOOK, url: "https://siem.example.com") { stream { id } } }',
    { id: owner.organizationId },
    { token: owner.token },
  )
  if (made.errors) throw new TypeError(made.text)
  const { id } = made.data.createAuditStream.stream
  await world.ask(
    'mutation($id: ID!) { switchAuditStream(id: $id, isOn: false) { id } }',
    { id },
    { token: owner.token },
  )
  return id
}

/** How many acts of the owner are recorded, whether identity has heard of them yet or not. */
async function actsOfOwner(): Promise<number> {
  const [row] = await world.sql<{ count: number }>(
    `select ((select count(*) from identity.audit_entry where actor_id = $1 and actor_kind = 'user' and id not in (${toldActs}))
       + (select count(*) from (${toldActs.replaceAll('select id', "select payload->'actor'->>'id' as actor")}) as told where actor = $1::text))::int as count`,
    [owner.userId],
  )
  return row?.count ?? 0
}

/** What came of one row for whoever holds this credential. */
async function read(row: Row | undefined, token: string | undefined): Promise<Verdict> {
  if (!row) throw new TypeError('no such row')
  const variables = row.variables(ids)
  if (row.channel) return follow(row, variables, token)
  const answer = await world.ask(row.document, variables, { token, ip: freshIp() })
  if (answer.errors) return codeOf(answer) as Verdict
  const [value] = Object.values(answer.data)
  return value === null ? 'missing' : 'allowed'
}

/** Allowed when the subscription stays until a message of its channel is heard; else its first payload says why not. */
async function follow(row: Row, variables: Record<string, unknown>, token: string | undefined) {
  const live = world.follow(row.document, variables, token)
  const heard = world.heard(row.channel?.(ids) ?? '').then((): Verdict => 'allowed')
  const over = live.ended.then((how): Verdict => {
    const errors = 'errors' in how ? how.errors : live.payloads[0]?.errors
    return codeOf({ errors }) as Verdict
  })
  // Nobody else may be listening when the next one is asked.
  const verdict = await Promise.race([heard, over])
  live.close()
  heard.catch(() => undefined)
  await eventually(async () => !(await world.isHeard(row.channel?.(ids) ?? '')))
  return verdict
}

/** Every row of every subgraph, but for what parts note by themselves. */
async function everything(): Promise<unknown> {
  const tables = await world.sql<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('identity', 'tunnels', 'domains', 'billing')
       and tablename not like 'inbox_%' and tablename not like 'mikro_orm_%'
       and tablename not in ('mail', 'mail_link', 'audit_link', 'audit_unsealed', 'audit_signed_head')`,
  )
  const noise = `array['last_used_at', 'last_used_ip', 'published_at', 'last_seen_at']`
  const hashes = tables.map(
    ({ name }) =>
      `select '${name}' as name, md5(string_agg(line, '|' order by line)) as hash
       from (select (to_jsonb(one) - ${noise})::text as line from ${name} as one) as lines`,
  )
  // PostgreSQL reads many tables in parallel, and answers in the order in which it is done.
  return world.sql(`${hashes.join(' union all ')} order by name`)
}

const takesId = (type: GraphQLInputType): boolean => {
  const named = getNamedType(type)
  if (named.name === 'ID') return true
  return isInputObjectType(named) && Object.values(named.getFields()).some((f) => takesId(f.type))
}

const path = createRequire(import.meta.url).resolve('@sluice/schema/api.graphql')
const schema = buildSchema(readFileSync(path, 'utf8'))

test('every root field that takes an id, and every field of an organization, has a row', () => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  const fields = roots.flatMap((root) =>
    Object.values(root?.getFields() ?? {}).map(
      (field: GraphQLField<unknown, unknown>) => [`${root?.name}.${field.name}`, field] as const,
    ),
  )
  const takers = fields
    .filter(([, { args }]) => args.some(({ type }) => takesId(type)))
    .map(([name]) => name)
  expect(Object.keys(rows).toSorted()).toEqual(takers.toSorted())
  const fieldsOfOrganization = Object.keys(organizationType().getFields())
  expect(Object.keys(organizationRows).toSorted()).toEqual(fieldsOfOrganization.toSorted())
})

function organizationType(): GraphQLObjectType {
  const type = schema.getType('Organization')
  if (!isObjectType(type)) throw new TypeError('Organization is no object type')
  return type
}

test.for(Object.entries(organizationRows))(
  'Organization.%s is shown to those who may see it',
  async ([name, row]) => {
    const type = organizationType().getFields()[name]?.type
    const selection = type && isLeafType(getNamedType(type)) ? '' : '{ __typename }'
    const readField = async (token: string | undefined): Promise<Verdict> => {
      const answer = await world.ask(
        `query($id: ID!) { organization(id: $id) { shown: ${name} ${selection} } }`,
        { id: ids.organizationId },
        { token },
      )
      if (answer.errors) return codeOf(answer) as Verdict
      return (answer.data.organization?.shown ?? null) === null ? 'missing' : 'allowed'
    }
    expect({
      owner: await readField(owner.token),
      viewer: await readField(viewer.token),
      authtoken: await readField(authtokens.get(row.authtoken.scopes.join())),
      stranger: await readField(stranger.token),
    }).toEqual({
      owner: row.owner ?? 'allowed',
      viewer: row.viewer,
      authtoken: row.authtoken.verdict,
      stranger: 'missing',
    })
  },
)

test('the requests of a tunnel are not shown to an authtoken that may read tunnels only', async () => {
  const answer = await world.ask(
    'query($id: ID!) { tunnel(id: $id) { id requests { nodes { id } } } }',
    { id: ids.tunnelId },
    { token: authtokens.get('TUNNELS_START,TUNNELS_READ') },
  )
  expect(codeOf(answer)).toBe('SLUICE_FORBIDDEN')
  expect(answer.data).toEqual({ tunnel: null })
})

test.for(Object.entries(rows))('%s keeps out who may not, and changes nothing', async ([, row]) => {
  const before = await everything()
  const verdicts = {
    stranger: await read(row, stranger.token),
    anonymous: await read(row, undefined),
    viewer: await read(row, viewer.token),
    authtoken: await read(row, authtokens.get(row.authtoken.scopes.join())),
  }
  const { stranger: s, anonymous: a, viewer: v, authtoken } = row
  expect(verdicts).toEqual({ stranger: s, anonymous: a, viewer: v, authtoken: authtoken.verdict })
  expect(await everything()).toEqual(before)
})

test('an owner may do all of it, but for what is the platform’s, and every change leaves its entry', async () => {
  // On a slow machine the relay would have been silent for too long by now.
  await registerRelay()
  const wrong: string[] = []
  const silent: string[] = []
  for (const [name, row] of Object.entries(rows)) {
    const before = await actsOfOwner()
    const verdict = await read(row, owner.token)
    if (verdict !== (row.owner ?? 'allowed')) wrong.push(`${name}: ${verdict}`)
    const isChange = name.startsWith('Mutation.') && verdict === 'allowed'
    if (isChange && (await actsOfOwner()) === before) silent.push(name)
  }
  expect(wrong).toEqual([])
  expect(silent).toEqual(silent.filter((name) => Object.hasOwn(unaudited, name)))
})

test('aliases buy no further tries at a password', async () => {
  const query = `mutation($email: String!, $password: String!) {
    a: signIn(email: $email, password: "not the password") { accessToken }
    b: signIn(email: $email, password: $password) { accessToken } }`
  const { email } = stranger
  // The anonymous may send nothing but what the console registered.
  expect(codeOf(await world.ask(query, { email, password }))).toBe('SLUICE_DOCUMENT_UNKNOWN')

  const ip = freshIp()
  const tries = []
  for (let n = 0; n < 11; n += 1) {
    tries.push(await world.ask(query, { email, password }, { token: viewer.token, ip }))
  }
  const failed = Array.from({ length: 10 }, () => 'SLUICE_SIGN_IN_FAILED')
  expect(tries.map(codeOf)).toEqual([...failed, 'SLUICE_RATE_LIMITED'])
  // What fails ends the operation: what stands behind it is not tried.
  expect(tries.filter(({ data, cookies }) => data !== null || cookies.length > 0)).toEqual([])
  const right = await world.ask(signInText, { email, password }, { ip })
  expect(codeOf(right)).toBe('SLUICE_RATE_LIMITED')
})
