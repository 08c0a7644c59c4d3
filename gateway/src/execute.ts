import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'
import { GraphQLError, type OperationDefinitionNode } from 'graphql'
import { getVariableValues } from 'graphql/execution/values.js'

import type { Call } from './call.ts'
import type { RawResult } from './executor/executor.ts'
import type { Sources } from './executor/fetch.ts'
import type { Generation, PlannedRequest } from './generation.ts'
import { errorOf, resultError, type PublicError } from './graph-errors.ts'
import type { PublicResult } from './live-subscription.ts'

const variableErrorsMax = 5

/** Runs a query or mutation. Expected failures of subgraphs are errors of the result. */
export async function execute(
  generation: Generation,
  request: Omit<PlannedRequest, 'context'>,
  call: Call,
  sources: Sources,
  log: Log,
): Promise<PublicResult> {
  const plan = generation.planOf(request.document, request.operationName)
  const raw = await plan.run(sources, { ...request, context: call })
  return publicResult(raw, call.requestId, log)
}

/** Throws for variables that do not fit. The raw values go on: subgraphs coerce them again. */
export function assertVariables(
  generation: Generation,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): void {
  const { errors } = getVariableValues(
    generation.apiSchema,
    operation.variableDefinitions ?? [],
    variables,
    { maxErrors: variableErrorsMax, hideSuggestions: true },
  )
  if (!errors) return
  const reason = errors.map(({ message }) => message).join(' ')
  throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
}

/** The executor's result as plain data. What it found missing without another error is a bug of a subgraph. */
export function publicResult(raw: RawResult, requestId: string, log: Log): PublicResult {
  const errors = (raw.errors ?? []).map((error) =>
    resultError(error instanceof GraphQLError ? error : asGraphQLError(error), requestId, log),
  )
  const missing = raw.extensions?.['valueCompletion']
  if (Array.isArray(missing) && missing.length > 0) {
    log.error({ requestId, missing }, 'a subgraph left out what its schema promises')
    errors.push(...missing.map((error) => valueMissing(error as GraphQLError, requestId)))
  }
  return { data: raw.data ?? null, ...(errors.length > 0 ? { errors } : {}) }
}

function valueMissing({ path }: GraphQLError, requestId: string): PublicError {
  return errorOf(new SluiceError('SLUICE_INTERNAL', { id: requestId }), path ?? [])
}

function asGraphQLError(error: unknown): GraphQLError {
  const { message, path } = error as { message?: string; path?: readonly (string | number)[] }
  return new GraphQLError(message ?? 'unknown', { path: path ?? null })
}
