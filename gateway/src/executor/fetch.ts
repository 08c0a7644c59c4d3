import { ERRORS, errorCodeDef } from '@apollo/federation-internals'
import type { FetchNode, QueryPlanSelectionNode, ResponsePath } from '@apollo/query-planner'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'

import { sliceOf } from './entities.ts'
import { mergeInto, type Fields } from './json.ts'
import { objectsAt, pathsAt } from './places.ts'
import { compileRequires } from './representations.ts'
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

/** What is known so far of one result, by response names, and what went wrong on the way. */
export interface Part {
  readonly result: Fields
  readonly errors: unknown[]
  /** What ended it: a place of its result holds what no subgraph may answer there. */
  fault?: unknown
}

/** One run of a plan: for one result, or for several that differ in how they began. Their entities are asked for together. */
export interface Run {
  readonly sources: Sources
  readonly variables: Readonly<Record<string, unknown>>
  readonly context: object
  readonly parts: readonly Part[]
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

/** Never rejects for what a subgraph did: it becomes an error of each part that asked. */
export type Fetch = (run: Run) => Promise<void>

export function compileFetch(node: FetchNode, path: ResponsePath, types: RuntimeTypes): Fetch {
  return node.requires
    ? compileEntityFetch(node, node.requires, path, types)
    : compileObjectFetch(node, path, types)
}

/** Takes an answer to a fetch of root fields that somebody else has sent. */
export function compileAnswer(
  node: FetchNode,
  path: ResponsePath,
  types: RuntimeTypes,
): (part: Part, answer: FetchAnswer) => void {
  const outputRewrite = compileRewrites(node.outputRewrites, types)
  return (part, { data, errors }) => {
    try {
      const objects = objectsAt(part.result, path)
      if (!objects) return
      if (errors) report(part, errors, node.serviceName, errorPlaces(part.result, path, false))
      if (data) outputRewrite?.(data)
      for (const object of objects) mergeInto(object, data)
    } catch (error) {
      part.errors.push(error)
    }
  }
}

/** Asks once per part: root fields have nothing in common that could be asked together. */
function compileObjectFetch(node: FetchNode, path: ResponsePath, types: RuntimeTypes): Fetch {
  const { serviceName } = node
  const prepared = prepareQuery(node.operation, node.operationName)
  const names = node.variableUsages ?? []
  const receive = compileAnswer(node, path, types)

  async function fetchFor(part: Part, run: Run): Promise<void> {
    const objects = objectsOf(part, path, run)
    if (!objects) return
    try {
      const source = sourceOf(run, serviceName)
      if (objects.length === 0) return
      const variables = pick(run.variables, names)
      receive(part, await source.fetch(prepared, variables, null, run.context))
    } catch (error) {
      part.errors.push(error)
    }
  }

  return async (run) => {
    const [first] = run.parts
    if (first && run.parts.length === 1) return fetchFor(first, run)
    await Promise.all(run.parts.map((part) => fetchFor(part, run)))
  }
}

/** The entities of one part among all that a fetch asks for. */
interface Asked {
  readonly part: Part
  readonly entities: readonly unknown[]
  /** Where they begin. */
  readonly from: number
}

function compileEntityFetch(
  node: FetchNode,
  requires: readonly QueryPlanSelectionNode[],
  path: ResponsePath,
  types: RuntimeTypes,
): Fetch {
  const { serviceName } = node
  const prepared = prepareQuery(node.operation, node.operationName)
  const names = node.variableUsages ?? []
  const outputRewrite = compileRewrites(node.outputRewrites, types)
  const represent = compileRequires(requires, compileRewrites(node.inputRewrites, types), types)

  return async (run) => {
    const representations: string[] = []
    const asked: Asked[] = []
    for (const part of run.parts) {
      const objects = objectsOf(part, path, run)
      if (!objects) continue
      const from = representations.length
      try {
        const entities = gather(run, objects, representations)
        if (entities.length > 0) asked.push({ part, entities, from })
      } catch (error) {
        representations.length = from
        part.errors.push(error)
      }
    }
    if (asked.length === 0) return
    try {
      const variables = pick(run.variables, names)
      if ('representations' in variables) {
        throw new Error(`Variables cannot contain key "representations"`)
      }
      const source = sourceOf(run, serviceName)
      const answer = await source.fetch(prepared, variables, representations, run.context)
      const isWhole = asked.length === 1
      for (const one of asked) {
        const own = isWhole ? answer : sliceOf(answer, one.from, one.from + one.entities.length)
        receive(one, own)
      }
    } catch (error) {
      for (const { part } of asked) part.errors.push(error)
    }
  }

  /** Those that can be asked for; what names each of them is added to `representations`. */
  function gather(
    run: Run,
    objects: readonly unknown[],
    representations: string[],
  ): readonly unknown[] {
    const asked: unknown[] = []
    sourceOf(run, serviceName)
    for (const entity of objects) {
      const representation = represent(entity)
      if (representation === null) continue
      representations.push(representation)
      asked.push(entity)
    }
    return asked
  }

  function receive({ part, entities }: Asked, { data, errors }: FetchAnswer): void {
    try {
      if (errors) report(part, errors, serviceName, errorPlaces(part.result, path, true))
      if (!data) return
      const received = (data as Fields)['_entities']
      if (!Array.isArray(received)) {
        throw new Error(`Expected "data._entities" in response to be an array`)
      }
      if (received.length !== entities.length) {
        throw new Error(`Expected "data._entities" to contain ${entities.length} elements`)
      }
      mergeEntities(entities, received, outputRewrite)
    } catch (error) {
      part.errors.push(error)
    }
  }
}

/** What a fetch is about in one part. Throws when none of the parts can go on. */
function objectsOf(part: Part, path: ResponsePath, { parts }: Run): unknown[] | undefined {
  try {
    return objectsAt(part.result, path)
  } catch (error) {
    part.fault ??= error
    if (parts.every(({ fault }) => fault !== undefined)) throw error
    return undefined
  }
}

function sourceOf({ sources }: Run, serviceName: string): Source {
  const source = sources[serviceName]
  if (!source) throw new Error(`Couldn't find service with name "${serviceName}"`)
  return source
}

type PlaceOf = (at: ErrorPath | undefined) => ErrorPath | undefined

function report(
  part: Part,
  errors: readonly GraphQLFormattedError[],
  serviceName: string,
  placeOf: PlaceOf,
): void {
  part.errors.push(...errors.map((error) => subgraphFault(error, serviceName, placeOf)))
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
function errorPlaces(result: Fields, path: ResponsePath, ofEntities: boolean): PlaceOf {
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
  placeOf: PlaceOf,
): GraphQLError {
  const message = error.message || `Error while fetching subquery from service "${serviceName}"`
  const { extensions } = error
  const options = {
    originalError: error as Error,
    path: placeOf(error.path),
    extensions: { ...extensions, serviceName },
  }
  const known = errorCodeDef(error)
  if (!known && extensions?.['code']) return new GraphQLError(message, options)
  return (known ?? ERRORS.DOWNSTREAM_SERVICE_ERROR).err(message, options)
}
