import { bytesText, clockText, durationText } from './figures.ts'
import type { Output, Style } from './output.ts'
import type { ForwardedRequest } from './session/forwarded.ts'
import { fitText, plainText } from './terminal-text.ts'

/** One request as the server stored it. */
export interface LoggedRequest {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly code: string | null
  readonly endpointHost: string
  readonly visitorIp: string
  readonly startedAt: string
  readonly durationMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly tunnel: {
    readonly id: string
    readonly name: string
    readonly organization: { readonly name: string } | null
  } | null
}

/** What the colour of a status says: fine, moved, the visitor's fault, ours. */
export function statusStyle(status: number): Style {
  if (status >= 500) return 'red'
  if (status >= 400) return 'yellow'
  return status >= 300 ? 'cyan' : 'green'
}

/** `14:02:11  app  GET  /api  200  12 ms  1.5 KiB  203.0.113.7`. */
export function requestLine(request: LoggedRequest, output: Output): string {
  const { method, path, status, code, visitorIp, startedAt, durationMs, responseBytes } = request
  const columns = [
    output.style('dim', clockText(new Date(startedAt))),
    fitText(plainText(request.tunnel?.name ?? request.endpointHost), 20),
    fitText(plainText(method), 7),
    output.style(statusStyle(status), fitText(status === 0 ? '-' : String(status), 3)),
    fitText(durationText(durationMs), 9, 'right'),
    fitText(bytesText(responseBytes), 8, 'right'),
    fitText(plainText(visitorIp), 15),
    plainText(path),
  ]
  if (code !== null) columns.push(output.style('yellow', `(${plainText(code)})`))
  return columns.join('  ')
}

/** The same of a request that this agent forwarded, under the name of its tunnel. */
export function forwardedLine(name: string, request: ForwardedRequest, output: Output): string {
  const { startedAt, code, ...rest } = request
  const tunnel = { id: '', name, organization: null }
  const at = startedAt.toISOString()
  const fields = { id: '', endpointHost: name, tunnel, startedAt: at, code: code ?? null }
  return requestLine({ ...rest, ...fields }, output)
}
