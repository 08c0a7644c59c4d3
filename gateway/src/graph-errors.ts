import type { Log } from '@sluice/kit/log'
import { isErrorCode, problemOf, SluiceError, type ErrorCode } from '@sluice/schema/errors'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'

import { DocumentErrors } from './check-operation.ts'

/** What the executor or a subgraph may have added to an error, and nobody outside may see. */
const internalExtensions: ReadonlySet<string> = new Set([
  'serviceName',
  'stacktrace',
  'stack',
  'exception',
  'originalError',
  'response',
  'http',
  'url',
])

/** The form in which errors leave: plain data, so that nothing hidden in an Error object can be serialised. */
export type PublicError = GraphQLFormattedError

export function errorOf(error: SluiceError, path?: readonly (string | number)[]): PublicError {
  return {
    message: error.message,
    ...(path ? { path } : {}),
    extensions: problemOf(error),
  }
}

/** A failure of a subgraph as its data source reports it: the executor puts the path of the fetch before `path`. */
export function fetchFailure(code: ErrorCode, requestId: string): PublicError {
  const details = code === 'SLUICE_INTERNAL' ? { id: requestId } : {}
  return errorOf(new SluiceError(code, details), [])
}

/**
 * One error of a subgraph's answer, as a client may see it: codes of the catalogue pass with their problem, the rest is
 * logged and becomes SLUICE_INTERNAL with the request's id.
 */
export function subgraphError(
  error: unknown,
  about: { subgraph: string; requestId: string; log: Log },
): PublicError {
  const { message, path, extensions } = (error ?? {}) as Partial<GraphQLFormattedError>
  const code = extensions?.['code']
  const at = Array.isArray(path) ? path : []
  if (isErrorCode(code)) {
    return {
      message: message ?? code,
      path: at,
      extensions: { ...publicExtensions(extensions ?? {}), code },
    }
  }
  about.log.error(
    { subgraph: about.subgraph, requestId: about.requestId, reason: String(message ?? error) },
    'subgraph answered with an error that is not in the catalogue',
  )
  return { ...fetchFailure('SLUICE_INTERNAL', about.requestId), path: at }
}

/** An error of the executor's result. What data sources reported is public already; all else is a bug of ours. */
export function resultError(error: GraphQLError, requestId: string, log: Log): PublicError {
  const { code } = error.extensions
  const path = error.path ? { path: shownPath(error.path) } : {}
  if (isErrorCode(code)) {
    return { message: error.message, ...path, extensions: publicExtensions(error.extensions) }
  }
  log.error({ err: error, requestId }, 'executor failed')
  return { ...errorOf(new SluiceError('SLUICE_INTERNAL', { id: requestId })), ...path }
}

/** What stopped an operation before it ran, as the errors of its answer. */
export function refusalErrors(error: unknown, requestId: string, log: Log): readonly PublicError[] {
  if (error instanceof DocumentErrors) return error.errors.map((one) => one.toJSON())
  if (error instanceof GraphQLError && isErrorCode(error.extensions['code']))
    return [error.toJSON()]
  if (error instanceof SluiceError) return [errorOf(error)]
  log.error({ err: error, requestId }, 'operation failed')
  return [errorOf(new SluiceError('SLUICE_INTERNAL', { id: requestId }))]
}

/** The code by which an answer with errors is counted and marked: that of the first. */
export function codeOf(errors: readonly PublicError[]): ErrorCode {
  const code = errors[0]?.extensions?.['code']
  return isErrorCode(code) ? code : 'SLUICE_INTERNAL'
}

/** HTTP status of an answer that holds no data: that of its first error. */
export function statusOf(errors: readonly PublicError[]): number {
  const status = errors[0]?.extensions?.['status']
  return typeof status === 'number' ? status : 500
}

function publicExtensions(extensions: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(extensions).filter(
      ([name, value]) =>
        ['string', 'number', 'boolean'].includes(typeof value) && !internalExtensions.has(name),
    ),
  )
}

/** A failed fetch for all entities of a list has the executor's `@` in its path: clients know no such index. */
function shownPath(path: readonly (string | number)[]): readonly (string | number)[] {
  const each = path.indexOf('@')
  return each === -1 ? path : path.slice(0, each)
}
