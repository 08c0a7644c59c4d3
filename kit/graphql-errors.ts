import { problemOf, SluiceError } from '@sluice/schema/errors'
import { GraphQLError } from 'graphql'

/** The one place where an exception becomes a GraphQL error. Of the unexpected, only an id leaves. */
export function maskError(error: unknown, log: (id: string, error: unknown) => void): GraphQLError {
  const original = error instanceof GraphQLError ? error.originalError : error
  const located =
    error instanceof GraphQLError ? { path: error.path ?? null, nodes: error.nodes ?? null } : {}
  if (original instanceof SluiceError) {
    return new GraphQLError(original.message, { ...located, extensions: problemOf(original) })
  }
  // Without an original it is the engine's own: bad syntax, failed validation.
  if (error instanceof GraphQLError && original === undefined) return error

  const id = crypto.randomUUID()
  log(id, original ?? error)
  const internal = new SluiceError('SLUICE_INTERNAL', { id })
  return new GraphQLError(internal.message, { ...located, extensions: problemOf(internal) })
}
