import { SluiceError, isErrorCode, problemOf } from '@sluice/schema/errors'
import type { Details, ErrorCode } from '@sluice/schema/errors'
import type { CombinedError } from '@urql/core'

/** One failure as a person reads it, wherever it came from. */
export interface Problem {
  readonly code: string
  readonly title: string
  readonly cause: string
  readonly fix: string
  /** The page about the code, when this console knows it. */
  readonly docsUrl: string | null
}

/** The path of a field in the answer, `organization.tunnels`. */
export type FieldPath = string

type GraphError = CombinedError['graphQLErrors'][number]

/**
 * The problem that keeps the field at `path` from being shown: an error at the field, inside it, or at one of its
 * parents. Errors of other fields are other panels' business. Without a path: the first problem there is.
 */
export function problemAt(error: CombinedError | undefined, path?: FieldPath): Problem | null {
  if (!error) return null
  if (error.networkError && error.graphQLErrors.length === 0) return unreachable(error.networkError)
  const found = error.graphQLErrors.find((each) => path === undefined || concerns(each, path))
  return found ? problemOfGraphError(found) : null
}

export function unreachable(reason: unknown): Problem {
  const text = reason instanceof Error ? reason.message : String(reason)
  return ofCatalogue(new SluiceError('SLUICE_GATEWAY_UNREACHABLE', { reason: sentence(text) }))
}

export function pageFailed(reason: unknown): Problem {
  const text = reason instanceof Error ? reason.message : String(reason)
  return ofCatalogue(new SluiceError('SLUICE_PAGE_FAILED', { reason: sentence(text) }))
}

/** The catalogue's own words, for what the console finds by itself. */
export function ofCatalogue(error: SluiceError): Problem {
  const { code, title, detail, fix } = problemOf(error)
  return { code, title, cause: detail, fix, docsUrl: docsUrlOf(code) }
}

/** The console explains every code of its own catalogue, so that a server of one's own needs no web site. */
function docsUrlOf(code: string): string | null {
  return isErrorCode(code) ? `/errors/${code}` : null
}

/** What a code means where only some of its details are at hand: the others show as `…`. */
export function codeOf(code: ErrorCode, details: Details): Problem {
  const { title, cause, fix, ...rest } = ofCatalogue(new SluiceError(code, details))
  const plain = (text: string) => text.replaceAll(/\{\w+\}\.?/g, '…')
  return { ...rest, title: plain(title), cause: plain(cause), fix: plain(fix) }
}

function problemOfGraphError({ message, extensions }: GraphError): Problem {
  const text = (key: string) => {
    const value = extensions[key]
    return typeof value === 'string' ? value : ''
  }
  const code = text('code') || 'SLUICE_INTERNAL'
  return {
    code,
    title: message,
    cause: text('detail'),
    fix: text('fix'),
    docsUrl: docsUrlOf(code),
  }
}

/** Whether the server refuses the credential itself, as against what it asked for. */
export function isUnauthenticated(error: CombinedError): boolean {
  return error.graphQLErrors.some(
    ({ extensions }) => extensions['code'] === 'SLUICE_UNAUTHENTICATED',
  )
}

function concerns({ path }: GraphError, field: FieldPath): boolean {
  if (!path || path.length === 0) return true
  const errorPath = path.join('.')
  return (
    errorPath === field || errorPath.startsWith(`${field}.`) || field.startsWith(`${errorPath}.`)
  )
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
