import { SluiceError } from '@sluice/schema/errors'

import type { Limits } from './limits.ts'

/** What a client asks, whatever the transport. */
export interface GraphRequest {
  /** The text, or the id under which it is registered. */
  readonly sent: { text: string } | { id: string }
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>>
}

const documentIdForm = /^(?:sha256:)?([0-9a-f]{64})$/

/** Reads the members of a GraphQL request. Throws SLUICE_INPUT_INVALID for what is none. */
export function parseGraphRequest(body: unknown, limits: Limits): GraphRequest {
  if (!isRecord(body)) throw invalid('the body is not a JSON object')
  const { query, documentId, operationName, variables } = body
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw invalid('operationName is not a string')
  }
  if (variables !== undefined && variables !== null && !isRecord(variables)) {
    throw invalid('variables is not an object')
  }
  if (nestsDeeper(variables, limits.variablesNestingMax)) {
    throw invalid(`variables are nested deeper than ${limits.variablesNestingMax} levels`)
  }
  return {
    sent: sentOf(query, documentId),
    operationName: operationName || undefined,
    variables: variables ?? {},
  }
}

function sentOf(query: unknown, documentId: unknown): GraphRequest['sent'] {
  if (typeof query === 'string' && query !== '') return { text: query }
  const id = typeof documentId === 'string' ? documentIdForm.exec(documentId)?.[1] : undefined
  if (id === undefined) throw invalid('there is neither a query nor a documentId')
  return { id }
}

function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((inner) => nestsDeeper(inner, levels - 1))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(reason: string): SluiceError {
  return new SluiceError('SLUICE_INPUT_INVALID', { reason })
}
