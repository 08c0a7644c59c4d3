import type { Principal } from '@sluice/kit/principal'
import { problemOf, SluiceError } from '@sluice/schema/errors'
import {
  getOperationAST,
  GraphQLError,
  Kind,
  OperationTypeNode,
  type OperationDefinitionNode,
} from 'graphql'

import type { CheckedDocument } from './documents.ts'

/** Where an operation came in. Each transport of a door asks the same question here. */
export interface Door {
  readonly transport: 'http' | 'sse' | 'websocket'
  readonly method?: 'GET' | 'POST'
  /** What the signed-in may send. The anonymous may always send registered documents only, admins anything. */
  readonly documents: 'any' | 'registered'
}

/**
 * Whether this principal may run this document at this door, and which of its operations is meant. The one check for
 * HTTP, SSE, graphql-ws and persisted documents; throws a SluiceError or the document's own GraphQLErrors.
 */
export function checkOperation(
  document: CheckedDocument,
  operationName: string | undefined,
  principal: Principal,
  door: Door,
): OperationDefinitionNode {
  const mayIntrospect = principal.kind !== 'anonymous'
  if (document.introspects && !mayIntrospect) {
    throw new SluiceError('SLUICE_INTROSPECTION_FORBIDDEN')
  }
  if (document.registeredAs === null && !mayWriteDocuments(principal, door)) {
    throw new SluiceError('SLUICE_DOCUMENT_UNKNOWN')
  }
  const errors = document.errors()
  if (errors.length > 0) throw new DocumentErrors(errors)

  const operation = getOperationAST(document.document, operationName)
  if (!operation) {
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason: 'there is no such operation' })
  }
  if (door.method === 'GET' && operation.operation !== OperationTypeNode.QUERY) {
    throw new SluiceError('SLUICE_REQUEST_UNSAFE')
  }
  if (operation.operation === OperationTypeNode.MUTATION) assertMayChange(operation, principal)
  if (operation.operation === OperationTypeNode.SUBSCRIPTION && door.transport === 'http') {
    const reason = 'a subscription needs graphql-ws, or `accept: text/event-stream`'
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
  }
  return operation
}

/** How whoever acts as somebody else comes to an end. */
const endings: ReadonlySet<string> = new Set(['endImpersonation'])

/** Staff that acts as a customer looks only, unless it was asked for more; what is never allowed subgraphs refuse. */
function assertMayChange(
  { selectionSet }: OperationDefinitionNode,
  { impersonatedBy }: Principal,
): void {
  if (!impersonatedBy || impersonatedBy.mayChange) return
  const isEnding = selectionSet.selections.every(
    (one) => one.kind === Kind.FIELD && endings.has(one.name.value),
  )
  if (!isEnding) throw new SluiceError('SLUICE_IMPERSONATION_READ_ONLY')
}

/** What validation found, one GraphQLError each. */
export class DocumentErrors extends Error {
  override readonly name = 'DocumentErrors'
  readonly errors: readonly GraphQLError[]

  constructor(errors: readonly GraphQLError[]) {
    super(errors[0]?.message)
    this.errors = errors
  }
}

/** An error of the parser or validator with the catalogue's code; our own rules carry theirs already. */
export function documentError(error: GraphQLError): GraphQLError {
  if (error.extensions['code'] !== undefined) return error
  const problem = problemOf(new SluiceError('SLUICE_DOCUMENT_INVALID'))
  return new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: problem,
  })
}

function mayWriteDocuments(principal: Principal, door: Door): boolean {
  if (principal.isAdmin) return true
  return principal.kind !== 'anonymous' && door.documents === 'any'
}
