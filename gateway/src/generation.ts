import { createHash } from 'node:crypto'

import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
import { buildOperationContext, executeQueryPlan } from '@apollo/gateway'
import { QueryPlanner, type FetchNode, type PlanNode, type QueryPlan } from '@apollo/query-planner'
import type { Log } from '@sluice/kit/log'
import type { DocumentNode, GraphQLSchema } from 'graphql'
import { LRUCache } from 'lru-cache'

import { shadowableFieldsOf } from './alias-rule.ts'
import type { Manifest } from './document-id.ts'
import { createDocuments, type CheckedDocument, type Documents } from './documents.ts'
import { apolloSources } from './executor/apollo.ts'
import { compilePlan, type PlanRequest, type RawResult } from './executor/executor.ts'
import type { FetchAnswer, Source, Sources } from './executor/fetch.ts'
import { runtimeTypesOf } from './executor/runtime-types.ts'
import type { Limits } from './limits.ts'
import { createCostEstimator, type CostEstimator } from './public/cost.ts'

/** The plan of one operation, ready to run. */
interface Plan {
  /** What a subscription opens at its subgraph; null for others. */
  readonly primary: FetchNode | null
  /** Of a query or mutation. */
  run(sources: Sources, request: PlannedRequest): Promise<RawResult>
  /** What becomes of some events of a subscription, one result each and in their order. */
  join(
    events: readonly FetchAnswer[],
    sources: Sources,
    request: PlannedRequest,
  ): Promise<readonly RawResult[]>
}

type RequestContext = Parameters<typeof executeQueryPlan>[2]

/**
 * Everything derived from one supergraph, never changed afterwards: a reload makes another and swaps the pointer, so no
 * request mixes two. It is the Apollo gateway's planner without its `ApolloGateway` class, which keeps the planner
 * to itself (a subscription needs the plan), reads its schema anew after every await, and opens telemetry.
 */
export interface Generation {
  readonly sha256: string
  /** What clients see. */
  readonly apiSchema: GraphQLSchema
  readonly documents: Documents
  planOf(document: CheckedDocument, operationName: string | undefined): Plan
  /** What an operation of a valid document costs at most. */
  readonly costOf: CostEstimator['costOf']
}

export interface PlannedRequest extends PlanRequest {
  readonly document: CheckedDocument
  readonly operationName: string | undefined
}

/** Bounds on what one operation may cost the planner. */
const plannerConfig = { debug: { maxEvaluatedPlans: 1_000, pathsLimit: 10_000 } }

export function createGeneration(options: {
  supergraphSdl: string
  manifest: Manifest
  limits: Limits
  /** Told of every run that is left to the Apollo gateway's executor. */
  onApollo?: () => void
}): Generation {
  const { supergraphSdl, manifest, limits } = options
  const supergraph = Supergraph.build(supergraphSdl, { validateSupergraph: false })
  const api = supergraph.apiSchema()
  const apiSchema = api.toGraphQLJSSchema()
  const supergraphSchema = supergraph.schema.toGraphQLJSSchema()
  const planner = new QueryPlanner(supergraph, plannerConfig)
  const plans = new LRUCache<string, Plan>({ max: limits.plansCachedMax })
  const types = runtimeTypesOf(supergraphSchema)
  let costs: CostEstimator | null = null

  function compile({ document }: CheckedDocument, operationName: string | undefined): Plan {
    const chosen = operationName === undefined ? {} : { operationName }
    const { node } = planner.buildQueryPlan(operationFromDocument(api, document, chosen))
    const [primary, rest] = node?.kind === 'Subscription' ? [node.primary, node.rest] : [null, node]
    const own = compilePlan({
      node: rest,
      given: primary,
      document,
      operationName,
      api,
      apiSchema,
      types,
    })
    const apollo = byApollo(runnable(node), document, operationName)
    return {
      primary,
      run: (sources, request) => own?.run(sources, request) ?? apollo(sources, request),
      join: (events, sources, request) =>
        own?.runFrom(events, sources, request) ??
        Promise.all(
          events.map((event) =>
            apollo(primary ? answering(sources, primary, event) : sources, request),
          ),
        ),
    }
  }

  /** The Apollo gateway's own executor, for what ours does not take. */
  function byApollo(
    node: PlanNode | undefined,
    document: DocumentNode,
    operationName: string | undefined,
  ): Plan['run'] {
    const plan: QueryPlan = { kind: 'QueryPlan', ...(node ? { node } : {}) }
    return (sources, { variables, context }) => {
      options.onApollo?.()
      const shape = buildOperationContext({
        schema: apiSchema,
        operationDocument: document,
        ...(operationName === undefined ? {} : { operationName }),
      })
      // The executor reads these members of its request context and no others.
      const requestContext = {
        request: { operationName, variables },
        context,
        metrics: {},
        logger: console,
      } as unknown as RequestContext
      return executeQueryPlan(
        plan,
        apolloSources(sources),
        requestContext,
        shape,
        supergraphSchema,
        api,
      )
    }
  }

  return {
    sha256: sha256Of(supergraphSdl),
    apiSchema,
    documents: createDocuments({
      apiSchema,
      shadowable: shadowableFieldsOf(supergraphSchema),
      manifest,
      limits,
    }),
    planOf(document, operationName) {
      const key = `${document.canonicalId} ${operationName ?? ''}`
      const known = plans.get(key)
      if (known) return known
      const plan = compile(document, operationName)
      plans.set(key, plan)
      return plan
    },
    costOf(...asked) {
      costs ??= createCostEstimator(supergraphSdl)
      return costs.costOf(...asked)
    },
  }
}

export function sha256Of(supergraphSdl: string): string {
  return createHash('sha256').update(supergraphSdl).digest('hex')
}

/** A subscription's plan as the Apollo gateway can run it for one event: as a query that fetches the event first. */
function runnable(node: QueryPlan['node']): PlanNode | undefined {
  if (node?.kind !== 'Subscription') return node
  const { primary, rest } = node
  return rest ? { kind: 'Sequence', nodes: [primary, rest] } : primary
}

/** Sources of which one has an answer already: the event. */
function answering(sources: Sources, primary: FetchNode, event: FetchAnswer): Sources {
  const owner = sources[primary.serviceName]
  if (!owner) return sources
  const source: Source = {
    fetch: (prepared, ...asked) =>
      prepared.query === primary.operation
        ? Promise.resolve(event)
        : owner.fetch(prepared, ...asked),
  }
  return { ...sources, [primary.serviceName]: source }
}

/** Plans every registered document, so that the first request of each does not pay for it. */
export function warm(generation: Generation, manifest: Manifest, log: Log): void {
  for (const [id, { name }] of Object.entries(manifest)) {
    const document = generation.documents.check({ id })
    const [problem] = document.errors()
    // An operation of a release that is newer or older than this supergraph: its users are told, nobody else.
    if (problem)
      log.warn({ operation: name, reason: problem.message }, 'a registered document does not fit')
    else generation.planOf(document, undefined)
  }
}
