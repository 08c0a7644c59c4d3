import type { Output } from './output.ts'
import type { ForwardedConnection, ForwardedRequest } from './session/forwarded.ts'

/** What is known of a tunnel once visitors reach it. */
export interface ReadyTunnel {
  readonly tunnelId: string
  readonly name: string
  /** Absent: HTTP. */
  readonly kind?: 'HTTP' | 'TCP' | 'TLS' | 'UDP'
  readonly urls: readonly string[]
  readonly target: string
  readonly region: string
  readonly loggedInAs: string
  readonly organization: string | null
  readonly relayUrl: string
  /** Whether connections to the target were refused when the tunnel was ready. */
  readonly targetRefused?: boolean
  /** The local page that shows what passes; null when there is none. */
  readonly inspectorUrl: string | null
  /** Why the public address did not answer this machine; absent when it did. */
  readonly unreached?: string
}

/** One of three ways to show an open tunnel: live screen, plain lines, JSON events. */
export interface TunnelView {
  ready(tunnel: ReadyTunnel): void
  online(): void
  offline(reason: string, retryInMs: number): void
  latency(ms: number): void
  connections(open: number, total: number): void
  request(request: ForwardedRequest): void
  /** A connection or flow of a tunnel that is not for HTTP. */
  connection(connection: ForwardedConnection): void
  /** The person wants to stop; what is in flight finishes first. */
  closing(): void
  /** Gives back what the view holds. Safe to call twice. */
  close(): void
  /** After `close`: the tunnel ended as wished. */
  stopped(tunnel: ReadyTunnel): void
}

const ignore = () => undefined

/** The address alone on stdout, remarks on stderr. */
export function createPlainView(output: Output): TunnelView {
  return {
    ready({ urls, target, inspectorUrl }) {
      output.result(urls[0] ?? '')
      output.message(`Forwarding to ${target}. Ctrl-C ends.`)
      if (inspectorUrl !== null) output.message(`Inspector: ${inspectorUrl}`)
    },
    online: () => output.message('Online again.'),
    offline(reason, retryInMs) {
      output.message(`Offline: ${reason}. Next attempt in ${(retryInMs / 1000).toFixed(1)} s.`)
    },
    latency: ignore,
    connections: ignore,
    request: ignore,
    connection: ignore,
    closing: () =>
      output.message('Closing; requests in flight finish. Ctrl-C again stops at once.'),
    close: ignore,
    stopped: ({ name }) => output.message(stoppedText(name)),
  }
}

/** One event per line on stdout. A reader that is slow loses requests, and is told how many. */
export function createJsonView(output: Output): TunnelView {
  let skipped = 0
  let hasRoom = true

  function event(name: string, fields: object): void {
    if (output.event({ event: name, at: new Date().toISOString(), ...fields })) return
    if (!hasRoom) return
    hasRoom = false
    void output.drained().then(() => {
      hasRoom = true
      if (skipped > 0) event('gap', { missed: skipped })
      skipped = 0
    })
  }

  function traffic(name: string, fields: object): void {
    if (hasRoom) event(name, fields)
    else skipped += 1
  }

  return {
    ready: ({ urls, ...tunnel }) => event('ready', { url: urls[0], urls, ...tunnel }),
    online: () => event('reconnected', {}),
    offline: (reason, retryInMs) => event('disconnected', { reason, retryInMs }),
    latency: ignore,
    connections: ignore,
    request: (request) => traffic('request', { ...request }),
    connection: (connection) => traffic('connection', { ...connection }),
    closing: () => event('closing', {}),
    close: ignore,
    stopped: ({ tunnelId, name }) => event('stopped', { tunnelId, name }),
  }
}

/** No reason to stop: people start a tunnel and their service in any order. */
export function nothingListens(target: string): string {
  return `Nothing listens at ${target} yet: visitors get an error page until your service does.`
}

/** The name outlives the agent: its visitors see that it is offline, and nobody else can take it. */
export function stoppedText(name: string): string {
  return `Stopped. ${name} stays yours; visitors see that it is offline.`
}
