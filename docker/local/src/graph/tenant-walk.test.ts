import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import { createLog } from '@sluice/kit/log'
import { permissions } from '@sluice/schema/permissions'
import {
  buildSchema,
  getNamedType,
  isLeafType,
  isObjectType,
  type GraphQLFieldMap,
  type GraphQLSchema,
} from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { unaudited } from './audit-walk.ts'
import { openLiveClients, type Live } from './live.ts'
import {
  actors,
  anonymous,
  apiKeyActors,
  authtokenActors,
  nothing,
  roleActors,
  serviceActors,
  staff,
  stranger,
  verdictFor,
  type Actor,
  type Field,
  type Ids,
  type Verdict,
} from './tenant-walk.ts'
import { documentOf } from './walk-document.ts'
import { fields, organizationFields } from './walk-fields.ts'
import { settledStateOf, stateOf } from './walk-state.ts'
import { openVictim, thaw, writeRefused, type Victim } from './walk-victim.ts'
import {
  codeOf,
  eventually,
  freshIp,
  openWorld,
  password,
  signInText,
  type GraphAnswer,
  type World,
} from './world.ts'

const schemaOf = (file: string) =>
  buildSchema(
    readFileSync(createRequire(import.meta.url).resolve(`@sluice/schema/${file}`), 'utf8'),
  )
const schema = schemaOf('api.graphql')
/** What partners see. */
const contract = schemaOf('public.graphql')
const publicPath = '/public/graphql'
const operations = [
  ['query', schema.getQueryType()],
  ['mutation', schema.getMutationType()],
  ['subscription', schema.getSubscriptionType()],
] as const
const rootFields = operations.flatMap(([operation, type]) =>
  Object.values(type?.getFields() ?? {}).map((field) => ({
    name: `${type?.name}.${field.name}`,
    operation,
    field,
  })),
)
/** What is declared and exists: what is only one of both fails a test of its own. */
const walked = rootFields.flatMap(({ name, operation, field }) => {
  const declared = fields[name]
  if (!declared) return []
  const [typeName = ''] = name.split('.')
  const inContract = fieldsOf(contract, typeName)[field.name]
  const document = documentOf(operation, field, declared)
  return [
    {
      name,
      declared,
      document,
      inContract: inContract ? documentOf(operation, inContract, declared) : null,
    },
  ]
})
type Walked = (typeof walked)[number]

function fieldsOf(of: GraphQLSchema, name: string): GraphQLFieldMap<unknown, unknown> {
  const type = of.getType(name)
  return isObjectType(type) ? type.getFields() : {}
}
const organizationType = fieldsOf(schema, 'Organization')

let world: World
let victim: Victim
let publicClients: ReturnType<typeof openLiveClients>

/** What the parts have logged of failures that they did not expect, by the id that the answer has. */
const failures = new Map<string, string>()
const log = createLog('walk', 'error', {
  write(line) {
    const { id, err } = JSON.parse(line) as { id?: string; err?: { message: string } }
    if (id) failures.set(id, err?.message ?? '')
  },
})

beforeAll(async () => {
  world = await openWorld(
    walked.map(({ document }) => document.text),
    { log },
  )
  publicClients = openLiveClients(`${world.origin.replace('http', 'ws')}${publicPath}`)
  const who = { roleActors, authtokenActors, serviceActors, apiKeyActors, nothing, stranger, staff }
  victim = await openVictim(world, who)
})
afterAll(async () => {
  publicClients?.[Symbol.dispose]()
  await world?.[Symbol.asyncDispose]()
})

/**
 * What an answer says of somebody. Nothing is written while the walk goes on: a field that wanted to write has let them in.
 * Any other failure that was not expected is one here, too, and not an answer to the question who may.
 */
function verdictOf(answer: Pick<GraphAnswer, 'data' | 'errors'>): Verdict {
  const [error] = answer.errors ?? []
  if (!error) return 'allowed'
  const { code, id } = error.extensions ?? {}
  const wrote = failures.get(String(id))?.startsWith(writeRefused)
  return code === 'SLUICE_INTERNAL' && wrote ? 'allowed' : (code as Verdict)
}

async function ask(
  { document, inContract, declared }: Walked,
  ids: Ids,
  { name, kind }: Actor,
): Promise<Verdict> {
  const token = victim.tokens.get(name)
  const { channel } = declared
  const isPartner = kind === 'api-key' && inContract !== null
  const asked = isPartner ? inContract : document
  const { text } = asked
  const variables = asked.variables(ids)
  // A partner is refused at the other door before anything is followed.
  if (channel && (isPartner || kind !== 'api-key')) {
    const live = (isPartner ? publicClients : world).follow(text, variables, token)
    return follow(live, channel(ids))
  }
  const path = isPartner ? publicPath : '/graphql'
  const answer = await world.ask(text, variables, { token, ip: freshIp(), path })
  if (answer.errors) return verdictOf(answer)
  const [value] = Object.values(answer.data)
  const isEmpty = declared.isNull && Array.isArray(value) && value.length === 0
  return value === null || isEmpty ? 'missing' : 'allowed'
}

/** Allowed when the subscription stays until its channel is heard; else its first payload says why not. */
async function follow(live: Live, channel: string): Promise<Verdict> {
  const heard = world.heard(channel).then((): Verdict => 'allowed')
  const over = live.ended.then((how): Verdict => {
    const errors = 'errors' in how ? how.errors : live.payloads[0]?.errors
    return verdictOf({ data: null, errors })
  })
  // Nobody else may be listening when the next one is asked.
  const verdict = await Promise.race([heard, over])
  live.close()
  heard.catch(() => undefined)
  await eventually(async () => !(await world.isHeard(channel)))
  return verdict
}

test('every root field, and every field of an organization, is declared', () => {
  expect(rootFields.map(({ name }) => name).toSorted()).toEqual(Object.keys(fields).toSorted())
  expect(Object.keys(organizationType).toSorted()).toEqual(
    Object.keys(organizationFields).toSorted(),
  )
})

test.for(walked)('$name lets in whom it declares, and nobody else', async (one) => {
  const verdicts: Record<string, Verdict> = {}
  const expected: Record<string, Verdict> = {}
  const read = async (actor: Actor) => {
    const wanted = verdictFor(one.declared, actor, one.inContract !== null)
    const verdict = await ask(one, victim.ids, actor)
    expected[actor.name] = wanted
    // Null is an answer where anybody may ask.
    const { needs, mayEnd } = one.declared
    const isAnswer = (needs === 'anybody' && verdict === 'missing') || verdict === mayEnd
    verdicts[actor.name] = isAnswer && wanted === 'allowed' ? wanted : verdict
  }
  // Of those who follow, one is heard at a time.
  if (one.declared.channel) for (const actor of actors) await read(actor)
  else await Promise.all(actors.map(read))
  expect(verdicts).toEqual(expected)
})

test.for(Object.entries(organizationFields))(
  'Organization.%s is shown to those who may see it',
  async ([name, declared]) => {
    const type = organizationType[name]?.type
    const isPublic = Object.hasOwn(fieldsOf(contract, 'Organization'), name)
    const isLeaf = type && isLeafType(getNamedType(type))
    const selection = declared.select ?? (isLeaf ? '' : '{ __typename }')
    const text = `query($id: ID!) { organization(id: $id) { shown: ${name} ${selection} } }`
    const read = async (actor: Actor): Promise<Verdict> => {
      const token = victim.tokens.get(actor.name)
      const path = actor.kind === 'api-key' && isPublic ? publicPath : '/graphql'
      const { organization: id } = victim.ids
      const answer = await world.ask(text, { id }, { token, ip: freshIp(), path })
      if (answer.errors) return verdictOf(answer)
      return (answer.data.organization?.shown ?? null) === null ? 'missing' : 'allowed'
    }
    // The anonymous may send nothing but what the console registered, and outside the organization is none.
    const inside = actors.filter((actor) => actor !== anonymous)
    const wanted = (actor: Actor) =>
      actor.permissions === null ? 'missing' : verdictFor(declared, actor, isPublic)
    const verdicts = await Promise.all(
      inside.map(async (one) => [one.name, await read(one)] as const),
    )
    expect(Object.fromEntries(verdicts)).toEqual(
      Object.fromEntries(inside.map((actor) => [actor.name, wanted(actor)])),
    )
  },
)

test('the requests of a tunnel are not shown to an authtoken that may read tunnels only', async () => {
  const answer = await world.ask(
    'query($id: ID!) { tunnel(id: $id) { id requests { nodes { id } } } }',
    { id: victim.ids.tunnel },
    { token: victim.tokens.get('authtoken TUNNELS_READ') },
  )
  expect(codeOf(answer)).toBe('SLUICE_FORBIDDEN')
  expect(answer.data).toEqual({ tunnel: null })
})

/** What the other subgraphs have told the audit. */
const toldActs = ['tunnels', 'domains', 'billing']
  .map((name) => `select id, payload from ${name}.outbox_event where name = 'act.recorded'`)
  .join(' union all ')

/** How many acts of the owner are recorded, whether identity has heard of them yet or not. */
async function actsOfOwner(): Promise<number> {
  const [row] = await world.sql<{ count: number }>(
    `with told as (${toldActs})
     select ((select count(*) from identity.audit_entry where actor_id = $1 and actor_kind = 'user' and id not in (select id from told))
       + (select count(*) from told where payload->'actor'->>'id' = $1::text))::int as count`,
    [victim.owner.userId],
  )
  return row?.count ?? 0
}

/** What takes something away comes last, and the organization at the very end. */
function destroys({ name }: { name: string }): number {
  if (name === 'Mutation.deleteOrganization') return 3
  if (name === 'Mutation.transferOwnership') return 2
  return /Mutation\.(delete|remove|revoke|detach|end)/.test(name) ? 1 : 0
}

test('whatever an owner changes leaves an entry in the audit', async () => {
  await thaw(world)
  const { owner, ids } = victim
  const silent: string[] = []
  let changes = 0
  for (const { name, declared, document } of walked.toSorted((a, b) => destroys(a) - destroys(b))) {
    const isOfOrganization = hasOwnPermission(declared) && name.startsWith('Mutation.')
    if (!isOfOrganization) continue
    const state = await settledStateOf(world)
    const before = await actsOfOwner()
    const { errors } = await world.ask(document.text, document.variables(ids), {
      token: owner.token,
    })
    if (errors) continue
    changes += 1
    const isSilent = (await actsOfOwner()) === before
    // What is so already, because an earlier one has seen to it, is no change.
    if (isSilent && (await stateOf(world)) !== state) silent.push(name)
  }
  expect(silent.filter((name) => !Object.hasOwn(unaudited, name))).toEqual([])
  expect(changes).toBeGreaterThan(25)
}, 120_000)

const hasOwnPermission = ({ needs }: Field) => Object.hasOwn(permissions, needs)

test('aliases buy no further tries at a password', async () => {
  const query = `mutation($email: String!, $password: String!) {
    a: signIn(email: $email, password: "not the password") { accessToken }
    b: signIn(email: $email, password: $password) { accessToken } }`
  const { email } = victim.stranger
  // The anonymous may send nothing but what the console registered.
  expect(codeOf(await world.ask(query, { email, password }))).toBe('SLUICE_DOCUMENT_UNKNOWN')

  const ip = freshIp()
  const tries = []
  for (let n = 0; n < 11; n += 1) {
    const token = victim.tokens.get('VIEWER')
    tries.push(await world.ask(query, { email, password }, { token, ip }))
  }
  const failed = Array.from({ length: 10 }, () => 'SLUICE_SIGN_IN_FAILED')
  expect(tries.map(codeOf)).toEqual([...failed, 'SLUICE_RATE_LIMITED'])
  // What fails ends the operation: what stands behind it is not tried.
  expect(tries.filter(({ data, cookies }) => data !== null || cookies.length > 0)).toEqual([])
  const right = await world.ask(signInText, { email, password }, { ip })
  expect(codeOf(right)).toBe('SLUICE_RATE_LIMITED')
})
