import { ERRORS, errorCodeDef } from '@apollo/federation-internals'
import type { FetchNode, ResponsePath } from '@apollo/query-planner'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'

import { mergeInto, type Fields } from './json.ts'
import { objectsAt, pathsAt } from './places.ts'
import { compileRequires, type Represent } from './representations.ts'
import { compileRewrites, type Rewrite } from './rewrites.ts'
import type { RuntimeTypes } from './runtime-types.ts'

/** One fetch of a plan, with what it sends written once up to its variables. */
export interface PreparedQuery {
  readonly query: string
  readonly operationName: string | undefined
  readonly isMutation: boolean
  /** The body before and after the variables. */
  readonly head: string
  readonly tail: string
}

/** What a subgraph answered. */
export interface FetchAnswer {
  readonly data: unknown
  readonly errors?: readonly GraphQLFormattedError[]
}

/** How the executor reaches one subgraph. */
export interface Source {
  /**
   * `representations`: the entities of an entity fetch, each in JSON. The answer belongs to whoever asked, but for
   * entities: those of equal representations may be one object, if it holds no other.
   */
  fetch(
    prepared: PreparedQuery,
    variables: Readonly<Record<string, unknown>>,
    representations: readonly string[] | null,
    context: object,
  ): Promise<FetchAnswer>
}
export type Sources = Readonly<Record<string, Source>>

/** One run of a plan. */
export interface Run {
  readonly sources: Sources
  readonly variables: Readonly<Record<string, unknown>>
  readonly context: object
  /** All that is known so far, by response names. */
  readonly result: Fields
  readonly errors: unknown[]
}

export function prepareQuery(query: string, operationName: string | undefined): PreparedQuery {
  return {
    query,
    operationName,
    isMutation: query.startsWith('mutation'),
    head: `{"query":${JSON.stringify(query)},"variables":`,
    tail: operationName === undefined ? '}' : `,"operationName":${JSON.stringify(operationName)}}`,
  }
}

/** Never rejects for what a subgraph did: it becomes an error of the run. */
export type Fetch = (run: Run) => Promise<void>

export function compileFetch(node: FetchNode, path: ResponsePath, types: RuntimeTypes): Fetch {
  const { serviceName, requires } = node
  const prepared = prepareQuery(node.operation, node.operationName)
  const names = node.variableUsages ?? []
  const outputRewrite = compileRewrites(node.outputRewrites, types)
  const represent =
    requires && compileRequires(requires, compileRewrites(node.inputRewrites, types), types)

  return async (run) => {
    const entities = objectsAt(run.result, path)
    if (!entities) return
    try {
      const source = run.sources[serviceName]
      if (!source) throw new Error(`Couldn't find service with name "${serviceName}"`)
      if (entities.length === 0) return
      const variables = pick(run.variables, names)
      if (represent) await fetchEntities(source, entities, variables, run, represent)
      else {
        const { data } = await send(source, variables, null, run)
        if (data) outputRewrite?.(data)
        for (const entity of entities) mergeInto(entity, data)
      }
    } catch (error) {
      run.errors.push(error)
    }
  }

  async function fetchEntities(
    source: Source,
    entities: readonly unknown[],
    variables: Readonly<Record<string, unknown>>,
    run: Run,
    ask: Represent,
  ): Promise<void> {
    const representations: string[] = []
    const asked: unknown[] = []
    for (const entity of entities) {
      const representation = ask(entity)
      if (representation === null) continue
      representations.push(representation)
      asked.push(entity)
    }
    if (representations.length === 0) return
    if ('representations' in variables) {
      throw new Error(`Variables cannot contain key "representations"`)
    }
    const { data } = await send(source, variables, representations, run)
    if (!data) return
    const received = (data as Fields)['_entities']
    if (!Array.isArray(received)) {
      throw new Error(`Expected "data._entities" in response to be an array`)
    }
    if (received.length !== asked.length) {
      throw new Error(`Expected "data._entities" to contain ${asked.length} elements`)
    }
    mergeEntities(asked, received, outputRewrite)
  }

  async function send(
    source: Source,
    variables: Readonly<Record<string, unknown>>,
    representations: readonly string[] | null,
    run: Run,
  ): Promise<FetchAnswer> {
    const answer = await source.fetch(prepared, variables, representations, run.context)
    if (answer.errors) {
      const pathOf = errorPlaces(run.result, path, represent !== undefined)
      run.errors.push(...answer.errors.map((error) => subgraphFault(error, serviceName, pathOf)))
    }
    return answer
  }
}

function mergeEntities(
  asked: readonly unknown[],
  received: readonly unknown[],
  rewrite: Rewrite | null,
): void {
  for (const [index, entity] of received.entries()) {
    const known = asked[index]
    const own = ownEntity(entity, known, rewrite !== null)
    if (rewrite) rewrite(own)
    mergeInto(known, own)
  }
}

/** An entity as it is merged. What is changed first, by a rewrite or for want of a type, is a copy: others may hold it too. */
function ownEntity(entity: unknown, known: unknown, isChanged: boolean): unknown {
  if (!entity) return entity
  const { __typename: said } = entity as Fields
  if (said && !isChanged) return entity
  if (typeof entity !== 'object') {
    const what = `${typeof entity} '${entity as string}'`
    throw new TypeError(`Cannot create property '__typename' on ${what}`)
  }
  // Nothing said, nothing to write over: what is known of its type stays.
  if (said === undefined && !isChanged) return entity
  const own = Array.isArray(entity) ? (entity as unknown as Fields) : { ...(entity as Fields) }
  if (!said) own['__typename'] = (known as Fields)['__typename']
  return own
}

function pick(
  given: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  const picked: Record<string, unknown> = Object.create(null)
  for (const name of names) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (value !== undefined) picked[name] = value
  }
  return picked
}

type ErrorPath = readonly (string | number)[]

/** Where in the client's result an error of a fetch belongs. Objects are numbered as `@apollo/gateway` does: all that are there. */
function errorPlaces(
  result: Fields,
  path: ResponsePath,
  ofEntities: boolean,
): (at: ErrorPath | undefined) => ErrorPath | undefined {
  let places: (string | number)[][] | null = null
  return (at) => {
    const index = at?.[1]
    if (!ofEntities || typeof index !== 'number') return at ? [...path, ...at] : undefined
    places ??= pathsAt(result, path)
    return [...(places[index] ?? []), ...(at ?? []).slice(2)]
  }
}

function subgraphFault(
  error: GraphQLFormattedError,
  serviceName: string,
  pathOf: (at: ErrorPath | undefined) => ErrorPath | undefined,
): GraphQLError {
  const message = error.message || `Error while fetching subquery from service "${serviceName}"`
  const { extensions } = error
  const options = {
    originalError: error as Error,
    path: pathOf(error.path),
    extensions: { ...extensions, serviceName },
  }
  const known = errorCodeDef(error)
  if (!known && extensions?.['code']) return new GraphQLError(message, options)
  return (known ?? ERRORS.DOWNSTREAM_SERVICE_ERROR).err(message, options)
}
