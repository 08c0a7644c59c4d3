import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
import { buildOperationContext, executeQueryPlan } from '@apollo/gateway'
import { QueryPlanner, type QueryPlan } from '@apollo/query-planner'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { GraphQLError, parse, validate, type GraphQLSchema } from 'graphql'
import { describe, expect, test } from 'vitest'

import { distinctRepresentations } from '../distinct-representations.ts'
import { fixtureSdl } from '../testing/fixture-subgraphs.ts'
import { randomAnswer, type Asked } from '../testing/random-answers.ts'
import { randomOperation } from '../testing/random-operation.ts'
import { randomFrom } from '../testing/random.ts'
import { richSdl } from '../testing/rich-graph.ts'
import { composed } from '../testing/world.ts'
import { apolloSources } from './apollo.ts'
import { compilePlan, type RawResult } from './executor.ts'
import type { FetchAnswer, Sources } from './fetch.ts'
import { runtimeTypesOf } from './runtime-types.ts'

/** Everything of one supergraph, for both executors. */
function graphOf(sdl: Readonly<Record<string, string>>) {
  const supergraph = Supergraph.build(composed(sdl), { validateSupergraph: false })
  const api = supergraph.apiSchema()
  const supergraphSchema = supergraph.schema.toGraphQLJSSchema()
  const schemas: Record<string, GraphQLSchema> = {}
  for (const [name, text] of Object.entries(sdl)) {
    schemas[name] = buildSubgraphSchema({ typeDefs: parse(text) })
  }
  return {
    api,
    apiSchema: api.toGraphQLJSSchema(),
    supergraphSchema,
    types: runtimeTypesOf(supergraphSchema),
    planner: new QueryPlanner(supergraph),
    schemas,
  }
}
type Graph = ReturnType<typeof graphOf>
type Answering = (asked: Asked) => FetchAnswer

/** Both executors on one plan. */
function prepare(graph: Graph, text: string) {
  const { api, apiSchema, supergraphSchema, types, planner } = graph
  const document = parse(text)
  const plan = planner.buildQueryPlan(operationFromDocument(api, document))
  const node = plan.node?.kind === 'Subscription' ? plan.node.primary : plan.node
  const own = compilePlan({
    node,
    given: null,
    document,
    operationName: undefined,
    api,
    apiSchema,
    types,
  })
  if (!own) throw new Error('not taken')
  const shape = buildOperationContext({ schema: apiSchema, operationDocument: document })
  const queryPlan: QueryPlan = { kind: 'QueryPlan', ...(node ? { node } : {}) }
  const apollo = (sources: Sources, variables: Record<string, unknown>): Promise<RawResult> =>
    executeQueryPlan(
      queryPlan,
      apolloSources(sources),
      { request: { variables }, context: {}, metrics: {}, logger: console } as never,
      shape,
      supergraphSchema,
      api,
    )
  return {
    plan: node,
    apollo,
    own: (sources: Sources, variables: Record<string, unknown>): Promise<RawResult> =>
      own.run(sources, { variables, context: {} }) ?? apollo(sources, variables),
  }
}

/** Runs one of them. Answers come one at a time in an order that the requests decide, so that both see the same. */
async function runWith(
  graph: Graph,
  run: (sources: Sources, variables: Record<string, unknown>) => Promise<RawResult>,
  variables: Record<string, unknown>,
  answer: Answering,
) {
  const log: string[] = []
  const waiting: { key: string; release: () => void }[] = []
  const releaseFirst = (): void => {
    waiting.sort((one, other) => (one.key < other.key ? -1 : 1))
    waiting.shift()?.release()
    if (waiting.length > 0) setImmediate(releaseFirst)
  }
  const turn = (key: string): Promise<void> =>
    new Promise((release) => {
      waiting.push({ key, release })
      if (waiting.length === 1) setImmediate(releaseFirst)
    })
  const sources: Sources = Object.fromEntries(
    Object.keys(graph.schemas).map((service) => [
      service,
      {
        async fetch({ query }, given, representations) {
          const asked = { service, query, variables: { ...given }, representations }
          const key = JSON.stringify(asked)
          await turn(key)
          log.push(key)
          return answer(asked)
        },
      },
    ]),
  )
  const result = await run(sources, variables).then(plain, (error: Error) => ({
    rejected: error.message,
  }))
  // What goes on beside a part that failed.
  do await new Promise((resolve) => setImmediate(resolve))
  while (waiting.length > 0)
  return { result: JSON.stringify(result), log }
}

function plain({ data, errors, extensions }: RawResult) {
  return {
    data,
    errors: errors?.map((error) =>
      error instanceof GraphQLError ? error.toJSON() : { thrown: (error as Error).message },
    ),
    extensions,
  }
}

const allVariables = { on: true, off: false, text: 'some "text"', introspected: 'User' }
const faultShares = [0, 0, 0.02, 0.08, 0.25]

/** Compares both on random operations, and returns how many cases there were. */
async function compare(graph: Graph, seed: string, operations: number): Promise<number> {
  let cases = 0
  for (let index = 0; index < operations; index += 1) {
    const name = `${seed} ${index}`
    const random = randomFrom(name)
    const isMutation = graph.apiSchema.getMutationType() && random.chance(0.1)
    const text = randomOperation(graph.apiSchema, random, isMutation ? 'mutation' : 'query')
    if (validate(graph.apiSchema, parse(text)).length > 0) continue
    const executors = prepare(graph, text)
    for (const [round, faults] of faultShares.entries()) {
      const variables = { ...allVariables, on: random.chance(0.5), off: random.chance(0.5) }
      const answer: Answering = (asked) =>
        randomAnswer(
          graph.schemas[asked.service] as GraphQLSchema,
          { ...asked, variables: { default: true, ...asked.variables } },
          `${name} ${round}`,
          faults,
        )
      const [apollo, own] = [
        await runWith(graph, executors.apollo, variables, answer),
        await runWith(graph, executors.own, variables, answer),
      ]
      expect(own, `${name} ${round}\n${text}`).toEqual(apollo)
      cases += 1
    }
  }
  return cases
}

describe('our executor answers as the one of @apollo/gateway', () => {
  test('on random operations over the fixture graph', async () => {
    expect(await compare(graphOf(fixtureSdl), 'fixture', 150)).toBeGreaterThan(500)
  }, 240_000)

  test('on random operations over a graph of everything', async () => {
    expect(await compare(graphOf(richSdl), 'rich', 400)).toBeGreaterThan(1_000)
  }, 240_000)
})

/** Runs random queries as a subscription's events run: several at once, of which the first fetch is answered already. */
async function compareEvents(graph: Graph, seed: string, operations: number): Promise<number> {
  let cases = 0
  for (let index = 0; index < operations; index += 1) {
    const name = `${seed} ${index}`
    const text = randomOperation(graph.apiSchema, randomFrom(name))
    if (validate(graph.apiSchema, parse(text)).length > 0) continue
    const { plan, apollo } = prepare(graph, text)
    if (plan?.kind !== 'Sequence') continue
    const [given, ...rest] = plan.nodes
    if (given?.kind !== 'Fetch') continue
    const { api, apiSchema, types } = graph
    const document = parse(text)
    const own = compilePlan({
      node: { kind: 'Sequence', nodes: rest },
      given,
      document,
      operationName: undefined,
      api,
      apiSchema,
      types,
    })
    for (const faults of [0, 0.02, 0.1]) {
      const answerOf = (asked: Asked, which: string): FetchAnswer =>
        randomAnswer(
          graph.schemas[asked.service] as GraphQLSchema,
          { ...asked, variables: { default: true, ...asked.variables } },
          which,
          faults,
        )
      const sources = sourcesOf(graph, (asked) => answerOf(asked, `${name} ${faults}`))
      const first = { service: given.serviceName, query: given.operation, representations: null }
      const events = ['a', 'b', 'c', 'd'].flatMap((which) => {
        try {
          return [answerOf({ ...first, variables: allVariables }, `${name} ${which}`)]
        } catch {
          return []
        }
      })
      const variables = allVariables
      const together = own?.runFrom(structuredClone(events), sources, { variables, context: {} })
      const alone = events.map((event) =>
        apollo(
          sourcesOf(graph, (asked) =>
            asked.query === given.operation ? event : answerOf(asked, `${name} ${faults}`),
          ),
          variables,
        ),
      )
      expect(await comparable(together), `${name} ${faults}\n${text}`).toEqual(
        await comparable(Promise.all(alone.map((one) => one.catch(asResult)))),
      )
      cases += 1
    }
  }
  return cases
}

/** Each entity is asked for once, as `subgraph-source.ts` does. */
function sourcesOf(graph: Graph, answer: Answering): Sources {
  return Object.fromEntries(
    Object.keys(graph.schemas).map((service) => [
      service,
      {
        async fetch({ query }, variables, given) {
          const distinct = given && distinctRepresentations(given)
          const representations = distinct?.representations ?? given
          const answered = answer({ service, query, variables: { ...variables }, representations })
          return distinct ? distinct.spread(answered) : answered
        },
      },
    ]),
  )
}

/** Each result by itself. An error that names no place concerns all who asked together: it is left out. */
async function comparable(results: Promise<RawResult[]> | null | undefined) {
  const all = (await results?.catch(() => null)) ?? 'none could go on'
  if (typeof all === 'string') return all
  if (all.every((one) => isLost(one))) return 'none could go on'
  return all.map((result) => {
    const { data, errors = [] } = plain(result)
    const placed = errors.filter((error) => 'thrown' in error || error.path)
    return { data, errors: placed.map((error) => JSON.stringify(error)).toSorted() }
  })
}

const asResult = (error: unknown): RawResult => ({ errors: [error] })

/** Ended by an answer that no subgraph may give. */
function isLost({ data, errors }: RawResult): boolean {
  return data === undefined && errors?.length === 1 && !(errors[0] instanceof GraphQLError)
}

test('events that are joined at once become what each of them becomes alone', async () => {
  expect(await compareEvents(graphOf(richSdl), 'events', 120)).toBeGreaterThan(60)
}, 240_000)

/** One operation by both, over the graph of everything; ours, once they agree. */
async function both(text: string, answers: Readonly<Record<string, unknown>>): Promise<unknown> {
  const graph = graphOf(richSdl)
  const executors = prepare(graph, text)
  const answer: Answering = ({ service, query }) => {
    const found = answers[query.includes('_entities') ? `${service} entities` : service]
    if (found instanceof Error) throw found
    return structuredClone(found ?? { data: null }) as FetchAnswer
  }
  const apollo = await runWith(graph, executors.apollo, allVariables, answer)
  const own = await runWith(graph, executors.own, allVariables, answer)
  expect(own).toEqual(apollo)
  return JSON.parse(own.result)
}

const me = (fields: object) => ({ data: { me: { __typename: 'User', id: '1', ...fields } } })

describe('by name', () => {
  test('an error of an entity stands at its place in the list', async () => {
    const friends = ['2', '3', '4'].map((id) => ({ __typename: 'User', id }))
    const error = { message: 'no', path: ['_entities', 1, 'note'], extensions: { code: 'NO' } }
    const entities = [{ note: 'a' }, { note: null }, { note: 'c' }]

    expect(
      await both('{ me { friends { note } } }', {
        identity: me({ friends }),
        'tunnels entities': { data: { _entities: entities }, errors: [error] },
      }),
    ).toMatchObject({
      data: { me: { friends: [{ note: 'a' }, { note: null }, { note: 'c' }] } },
      errors: [{ path: ['me', 'friends', 1, 'note'] }],
    })
  })

  test('a list of lists is joined through both', async () => {
    const cell = (ids: string[]) => ({
      inner: [ids.map((id) => ({ __typename: 'User', id })), null],
    })

    expect(
      await both('{ grid { inner { note } } }', {
        identity: { data: { grid: [[cell(['1', '2'])], [], [cell(['3'])]] } },
        'tunnels entities': { data: { _entities: [{ note: 'a' }, null, { note: 'c' }] } },
      }),
    ).toMatchObject({
      data: {
        grid: [
          [{ inner: [[{ note: 'a' }, { note: null }], null] }],
          [],
          [{ inner: [[{ note: 'c' }], null] }],
        ],
      },
    })
  })

  test('a subgraph that is down costs its fields, and a required one its parent', async () => {
    const down = new Error('connect ECONNREFUSED')

    expect(
      await both('{ me { name note } }', { identity: me({ name: 'n' }), 'tunnels entities': down }),
    ).toMatchObject({ data: { me: { name: 'n', note: null } }, errors: [{ thrown: down.message }] })
    expect(
      await both('{ me { name score } }', {
        identity: me({ name: 'n' }),
        'domains entities': { data: null },
      }),
    ).toMatchObject({
      data: { me: null },
      extensions: {
        valueCompletion: [{ message: 'Cannot return null for non-nullable field User.score.' }],
      },
    })
  })

  test('a value that the schema does not know is no value, and said to be invalid', async () => {
    expect(await both('{ me { role } }', { identity: me({ role: 'RETIRED' }) })).toMatchObject({
      data: { me: null },
      extensions: { valueCompletion: [{ message: 'Invalid value found for field User.role.' }] },
    })
  })

  test('an unknown type name is null, in a union and in an entity', async () => {
    expect(
      await both('{ search { ... on User { name } } }', {
        identity: { data: { search: [{ __typename: 'Ghost', name: 'x' }, null] } },
      }),
    ).toMatchObject({ data: { search: null } })
  })

  test('a name that every object inherits is a field like others', async () => {
    const text = '{ me { constructor: name toString: clash valueOf: friends { length: name } } }'
    const answer = me({ constructor: 'c', toString: null, valueOf: [{ length: 'l' }] })

    expect(await both(text, { identity: answer })).toEqual({
      data: { me: { constructor: 'c', toString: null, valueOf: [{ length: 'l' }] } },
    })
    expect(await both(text, { identity: me({}) })).toMatchObject({ data: { me: null } })
  })

  test('a field asked for twice keeps what the first asked', async () => {
    const text =
      '{ me { best { name } } ... on Query { me { best { role friends { id } } name } } }'
    const best = { name: 'b', role: 'OWNER', friends: [{ id: '5' }] }

    expect(await both(text, { identity: me({ best, name: 'n' }) })).toEqual({
      data: { me: { best, name: 'n' } },
    })
  })

  test('an object that does not say its type is told apart from one that does', async () => {
    const text =
      '{ nodes { id ... on Node { ... on User { name } id } } me { ... on Node { ... on User { name } } id } }'
    const users = [
      { id: '1', name: 'n' },
      { __typename: 'User', id: '2', name: 'm' },
    ]

    await both(text, { identity: { data: { nodes: users, me: users[0] } } })
    await both(text, { identity: { data: { nodes: users.toReversed(), me: users[1] } } })
    expect(
      await both('{ must { best { ... on Node { ... on User { name } } } friends { id } } }', {
        identity: { data: { must: { best: users[0], friends: users } } },
      }),
    ).toMatchObject({ data: { must: { best: {} } } })
  })

  test('a mutation waits for the one before it', async () => {
    const answers = {
      identity: { data: { first: { id: '1' }, second: null } },
      tunnels: { data: { third: { name: 'one' } } },
    }

    expect(await both('mutation { first { id } third { name } }', answers)).toEqual({
      data: { first: { id: '1' }, third: { name: 'one' } },
    })
  })

  test('introspection stands beside data', async () => {
    expect(
      await both('{ __type(name: "Cell") { name } me { name } again: __schema { __typename } }', {
        identity: me({ name: 'n' }),
      }),
    ).toEqual({
      data: { __type: { name: 'Cell' }, me: { name: 'n' }, again: { __typename: '__Schema' } },
    })
  })

  test('a condition without its variable is left to @apollo/gateway', async () => {
    const graph = graphOf(richSdl)
    const executors = prepare(graph, 'query ($on: Boolean!) { me { name @include(if: $on) id } }')
    const answer: Answering = () => me({ name: 'n' })

    const own = await runWith(graph, executors.own, {}, answer)
    expect(own).toEqual(await runWith(graph, executors.apollo, {}, answer))
    expect(own.result).toContain('Unexpected value undefined for variable $on')
  })
})
