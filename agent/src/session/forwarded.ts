import { errors, isErrorCode } from '@sluice/schema/errors'
import type { Carried, Exchanged } from '@sluice/wire'

/** One request as the agent saw it end. */
export interface ForwardedRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  /** Set when the agent answered in the upstream's place. */
  readonly code?: string
  readonly durationMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly visitorIp: string
  readonly startedAt: Date
}

/** What stands behind the path of a request line; relays let no other version pass. */
const versionLength = ' HTTP/1.1'.length

/** One connection, or one flow of datagrams, as the agent saw it end. */
export interface ForwardedConnection {
  readonly visitorIp: string
  readonly visitorPort: number
  /** Set when the upstream could not be reached. */
  readonly code?: string
  /** From the visitor, and to it. */
  readonly bytesIn: number
  readonly bytesOut: number
  readonly durationMs: number
  readonly startedAt: Date
}

export function requestOf(exchanged: Exchanged): ForwardedRequest {
  const { requestLine, code } = exchanged
  const methodEnd = requestLine.indexOf(' ')
  const known = isErrorCode(code) ? code : undefined
  return {
    method: requestLine.slice(0, methodEnd),
    path: requestLine.slice(methodEnd + 1, -versionLength),
    status: known && exchanged.status === 0 ? errors[known].status : exchanged.status,
    ...(known ? { code: known } : {}),
    durationMs: exchanged.durationMs,
    requestBytes: exchanged.requestBytes,
    responseBytes: exchanged.responseBytes,
    visitorIp: exchanged.visitor,
    startedAt: new Date(exchanged.startedAt),
  }
}

export function connectionOf({
  visitor,
  code,
  startedAt,
  ...carried
}: Carried): ForwardedConnection {
  return {
    ...carried,
    visitorIp: visitor,
    ...(code === '' ? {} : { code }),
    startedAt: new Date(startedAt),
  }
}
