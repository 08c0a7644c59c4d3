import { createHash } from 'node:crypto'

import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
import { buildOperationContext, executeQueryPlan } from '@apollo/gateway'
import { QueryPlanner, type QueryPlan } from '@apollo/query-planner'
import type { Log } from '@sluice/kit/log'
import type { GraphQLSchema } from 'graphql'
import { LRUCache } from 'lru-cache'

import { shadowableFieldsOf } from './alias-rule.ts'
import type { Manifest } from './document-id.ts'
import { createDocuments, type CheckedDocument, type Documents } from './documents.ts'
import type { Limits } from './limits.ts'

/** The plan of one operation. */
type Plan = QueryPlan

export type Sources = Parameters<typeof executeQueryPlan>[1]
type RequestContext = Parameters<typeof executeQueryPlan>[2]
export type RawResult = Awaited<ReturnType<typeof executeQueryPlan>>

/**
 * Everything derived from one supergraph, never changed afterwards: a reload makes another and swaps the pointer, so no
 * request mixes two. It is the Apollo gateway's planner and executor without its `ApolloGateway` class, which
 * keeps its planner to itself (a subscription needs the plan), reads its schema anew after every await, and opens telemetry.
 */
export interface Generation {
  readonly sha256: string
  /** What clients see. */
  readonly apiSchema: GraphQLSchema
  readonly documents: Documents
  planOf(document: CheckedDocument, operationName: string | undefined): Plan
  run(plan: Plan, sources: Sources, request: PlannedRequest): Promise<RawResult>
}

export interface PlannedRequest {
  readonly document: CheckedDocument
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>>
  /** Reaches the data sources. */
  readonly context: object
}

/** Bounds on what one operation may cost the planner. */
const plannerConfig = { debug: { maxEvaluatedPlans: 1_000, pathsLimit: 10_000 } }

export function createGeneration(options: {
  supergraphSdl: string
  manifest: Manifest
  limits: Limits
}): Generation {
  const { supergraphSdl, manifest, limits } = options
  const supergraph = Supergraph.build(supergraphSdl, { validateSupergraph: false })
  const api = supergraph.apiSchema()
  const apiSchema = api.toGraphQLJSSchema()
  const supergraphSchema = supergraph.schema.toGraphQLJSSchema()
  const planner = new QueryPlanner(supergraph, plannerConfig)
  const plans = new LRUCache<string, Plan>({ max: limits.plansCachedMax })

  return {
    sha256: createHash('sha256').update(supergraphSdl).digest('hex'),
    apiSchema,
    documents: createDocuments({
      apiSchema,
      shadowable: shadowableFieldsOf(supergraphSchema),
      manifest,
      limits,
    }),
    planOf({ canonicalId, document }, operationName) {
      const key = `${canonicalId} ${operationName ?? ''}`
      const known = plans.get(key)
      if (known) return known
      const chosen = operationName === undefined ? {} : { operationName }
      const plan = planner.buildQueryPlan(operationFromDocument(api, document, chosen))
      plans.set(key, plan)
      return plan
    },
    run(plan, sources, { document, operationName, variables, context }) {
      const shape = buildOperationContext({
        schema: apiSchema,
        operationDocument: document.document,
        ...(operationName === undefined ? {} : { operationName }),
      })
      // The executor reads these members of its request context and no others.
      const requestContext = {
        request: { query: document.text, operationName, variables },
        context,
        metrics: {},
        logger: console,
      } as unknown as RequestContext
      return executeQueryPlan(plan, sources, requestContext, shape, supergraphSchema, api)
    },
  }
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
