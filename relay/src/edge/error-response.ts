import { STATUS_CODES } from 'node:http'

import { SluiceError, problemOf, type Details, type ErrorCode } from '@sluice/schema/errors'

import { errorPage, type PageOffer } from './error-page.ts'

/** A page of a tunnel that is away looks again by itself. */
const pageRetrySeconds = 10
const passing: ReadonlySet<ErrorCode> = new Set([
  'SLUICE_TUNNEL_OFFLINE',
  'SLUICE_HOST_UNDETERMINED',
])

export interface ErrorAnswer {
  readonly code: ErrorCode
  readonly details: Details
  /** The visitor takes HTML. */
  readonly html: boolean
  readonly toHead: boolean
  readonly connection: 'close' | 'keep-alive' | ''
  /** More lines of the head. */
  readonly lines?: readonly string[]
}

/** A failure as the visitor gets it: a page for browsers, a problem body for programs, the code in `sluice-error` for both. */
export function errorResponse(answer: ErrorAnswer): Buffer {
  const problem = problemOf(new SluiceError(answer.code, answer.details))
  const body = Buffer.from(
    answer.html ? errorPage(problem, pageOf(answer)) : JSON.stringify(problem),
  )
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}`,
    `Content-Type: ${answer.html ? 'text/html; charset=utf-8' : 'application/problem+json'}`,
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
    `Date: ${new Date().toUTCString()}`,
    `sluice-error: ${answer.code}`,
  ]
  // Framed, the way on could be clicked without being seen.
  if (answer.code === 'SLUICE_VISIT_UNCONFIRMED') lines.push('X-Frame-Options: DENY')
  if (answer.code === 'SLUICE_BASIC_AUTH_REQUIRED') {
    lines.push('WWW-Authenticate: Basic realm="Sluice tunnel", charset="UTF-8"')
  }
  lines.push(...limitLines(answer), ...(answer.lines ?? []))
  if (answer.connection !== '') lines.push(`Connection: ${answer.connection}`)
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return answer.toHead ? head : Buffer.concat([head, body])
}

/** What a page offers beside the failure: the way on, or to wait. */
function pageOf({ code, details }: ErrorAnswer): PageOffer {
  const { onward } = details
  if (code === 'SLUICE_VISIT_UNCONFIRMED' && typeof onward === 'string') return { onward }
  return passing.has(code) ? { retryAfterSeconds: pageRetrySeconds } : {}
}

/** Sends a browser to another address with GET. */
export function redirectResponse(location: string, lines: readonly string[]): Buffer {
  const head = [
    'HTTP/1.1 303 See Other',
    `Location: ${location}`,
    'Content-Length: 0',
    'Cache-Control: no-store',
    `Date: ${new Date().toUTCString()}`,
    ...lines,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** When to come again, and of a request rate what it is (draft-ietf-httpapi-ratelimit-headers). */
function limitLines({ code, details }: ErrorAnswer): string[] {
  const { retryAfterSeconds = retryAfterSecondsOf[code], perSecond, burst } = details
  const lines: string[] = []
  if (code === 'SLUICE_REQUESTS_MAX') {
    const windowSeconds = Math.max(1, Math.ceil(Number(burst) / Number(perSecond)))
    lines.push(
      `RateLimit-Policy: "tunnel";q=${String(burst)};w=${windowSeconds}`,
      `RateLimit: "tunnel";r=0;t=${String(retryAfterSeconds)}`,
    )
  }
  if (retryAfterSeconds !== undefined) lines.push(`Retry-After: ${String(retryAfterSeconds)}`)
  return lines
}

/** Failures that pass by themselves. */
const retryAfterSecondsOf: Partial<Record<ErrorCode, number>> = {
  SLUICE_CONNECTIONS_MAX: 1,
  SLUICE_TUNNEL_OFFLINE: 5,
  SLUICE_HOST_UNDETERMINED: 5,
  SLUICE_RELAY_DRAINING: 5,
}

/** Whether an Accept value asks for a page. */
export function takesHtml(accept: string): boolean {
  return /(?:^|,)\s*text\/html\b/i.test(accept)
}
