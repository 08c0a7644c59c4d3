import { bytesText, clockText, durationText } from './figures.ts'
import type { Style } from './output.ts'
import { statusStyle } from './request-log.ts'
import { cutText, fitText, plainText, textColumns } from './terminal-text.ts'

type ScreenStatus =
  | { readonly kind: 'online' }
  | { readonly kind: 'offline'; readonly reason: string; readonly retryAtMs: number }
  | { readonly kind: 'closing' }

export interface ScreenRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly code?: string
  readonly durationMs: number
  readonly responseBytes: number
  readonly startedAt: Date
}

/** All that the live screen shows. */
export interface ScreenState {
  readonly version: string
  readonly status: ScreenStatus
  readonly loggedInAs: string
  readonly region: string
  readonly latencyMs: number | null
  readonly urls: readonly string[]
  readonly target: string
  /** Nothing listens at the target: visitors get an error page. */
  readonly targetRefused: boolean
  /** The address of the local page; null when there is none. */
  readonly inspectorUrl: string | null
  readonly connections: { readonly open: number; readonly total: number }
  /** The newest first. */
  readonly requests: readonly ScreenRequest[]
  readonly requestsTotal: number
  /** Of other kinds connections are listed, as they end. */
  readonly kind: 'HTTP' | 'TCP' | 'TLS' | 'UDP'
}

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

type Paint = (style: Style, text: string) => string
interface Segment {
  readonly text: string
  readonly style?: Style
}
type Line = readonly Segment[]

const labelColumns = 15
/** Below this width a request shows method, path and status only. */
const wideColumnsMin = 64

/** The screen as lines: never more than the rows, none wider than the columns. */
export function screenLines(
  state: ScreenState,
  size: ScreenSize,
  paint: Paint,
  nowMs: number,
): string[] {
  const forwarding = forwardingLines(state)
  const status = statusLine(state, nowMs)
  const head: Line[] = [
    titleLine(state, size),
    [],
    status,
    row('Logged in as', state.loggedInAs),
    row('Region', state.region),
    row('Latency', state.latencyMs === null ? '-' : durationText(state.latencyMs)),
    ...forwarding,
    ...(state.inspectorUrl === null ? [] : [row('Inspector', state.inspectorUrl)]),
    [],
    row('Connections', `${state.connections.open} open, ${state.connections.total} total`),
    [],
    [
      { text: (state.kind === 'HTTP' ? 'Requests' : 'Ended').padEnd(labelColumns), style: 'bold' },
      { text: `${state.requestsTotal} since the start` },
    ],
  ]
  // A window of a few rows keeps what matters: is it up, and where.
  const shown = head.length < size.rows ? head : [status, ...forwarding]
  const room = Math.max(0, size.rows - shown.length)
  const requests = state.requests
    .slice(0, room)
    .map((request) => requestLine(request, size.columns))
  return [...shown, ...requests]
    .slice(0, size.rows)
    .map((line) => paintLine(line, size.columns, paint))
}

function titleLine({ version, status, inspectorUrl }: ScreenState, { columns }: ScreenSize): Line {
  const name = `sluice ${version}`
  const keys = `${inspectorUrl === null ? '' : 'i inspect  '}o open  c copy  q quit`
  const hint = status.kind === 'closing' ? 'Ctrl-C again stops at once' : keys
  const gap = Math.max(2, columns - textColumns(name) - textColumns(hint))
  return [{ text: name, style: 'bold' }, { text: ' '.repeat(gap) }, { text: hint, style: 'dim' }]
}

function statusLine({ status, connections }: ScreenState, nowMs: number): Line {
  const label: Segment = { text: 'Status'.padEnd(labelColumns), style: 'bold' }
  if (status.kind === 'online') return [label, { text: 'online', style: 'green' }]
  if (status.kind === 'closing') {
    return [label, { text: `closing, ${connections.open} connections finish`, style: 'yellow' }]
  }
  const seconds = Math.max(0, Math.ceil((status.retryAtMs - nowMs) / 1000))
  const when = seconds === 0 ? 'reconnecting' : `reconnecting in ${seconds} s`
  return [
    label,
    { text: `offline, ${when}`, style: 'red' },
    { text: `  ${status.reason}`, style: 'dim' },
  ]
}

function forwardingLines({ urls, target, targetRefused }: ScreenState): Line[] {
  const columns = Math.max(0, ...urls.map(textColumns))
  const lines: Line[] = urls.map((url, at) => [
    { text: (at === 0 ? 'Forwarding' : '').padEnd(labelColumns), style: 'bold' },
    { text: fitText(url, columns), style: 'cyan' },
    { text: `  ->  ${target}` },
  ])
  if (!targetRefused) return lines
  const warning = 'nothing listens there: visitors get an error page'
  return [...lines, [{ text: ' '.repeat(labelColumns) }, { text: warning, style: 'yellow' }]]
}

function row(label: string, text: string): Line {
  return [{ text: label.padEnd(labelColumns), style: 'bold' }, { text }]
}

function requestLine(request: ScreenRequest, columns: number): Line {
  const { method, path, status, code, durationMs, responseBytes, startedAt } = request
  const isWide = columns >= wideColumnsMin
  const before: Segment[] = [
    ...(isWide ? [{ text: `${clockText(startedAt)}  `, style: 'dim' as const }] : []),
    { text: `${fitText(plainText(method), 7)} ` },
  ]
  const after: Segment[] = [
    { text: `  ${fitText(status === 0 ? '-' : String(status), 3)}`, style: statusStyle(status) },
    ...(isWide
      ? [
          { text: `  ${fitText(durationText(durationMs), 9, 'right')}` },
          { text: `  ${fitText(bytesText(responseBytes), 8, 'right')}` },
        ]
      : []),
  ]
  const taken = [...before, ...after].reduce((sum, { text }) => sum + textColumns(text), 0)
  const what = code === undefined ? plainText(path) : `${plainText(path)} (${code})`
  return [...before, { text: fitText(what, Math.max(1, columns - taken)) }, ...after]
}

function paintLine(line: Line, columns: number, paint: Paint): string {
  let left = columns
  let painted = ''
  for (const { text, style } of line) {
    const cut = cutText(plainText(text), left)
    left -= textColumns(cut)
    painted += style === undefined || cut === '' ? cut : paint(style, cut)
    if (left <= 0) break
  }
  return painted
}
