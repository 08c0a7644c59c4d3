import { request, validateHeaderName, validateHeaderValue } from 'node:http'
import { request as secureRequest } from 'node:https'

import { SluiceError } from '@sluice/schema/errors'

import type { TargetGuard } from '../target-guard.ts'
import type { Upstream } from '../target.ts'
import type { Exchange, ExchangeStore } from './exchange-store.ts'
import { parseHead, requestLineOf } from './http-head.ts'

const replayTimeoutMs = 60_000
const replaysMax = 8
const responseHeadBytesMax = 64 * 1024
/** What concerns one connection only, or is worked out anew. */
const ownFields = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const methodForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/
const pathForm = /^\/[\u0021-\u007E]*$/

/** Where the requests of a tunnel go, now. */
export interface InspectedTunnel {
  readonly upstream: Upstream
  /** `preserve`, `rewrite`, or the value to send. */
  readonly hostHeader: string
  readonly guard: TargetGuard
}

/** A request as a person may change it before it is sent again. */
export interface ReplayEdits {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly (readonly [string, string])[]
  /** Text as UTF-8; absent for the body as it was. */
  readonly body?: string
}

/** A replay that cannot be made, in words for the person who asked. */
export class ReplayRefused extends Error {
  override readonly name = 'ReplayRefused'
}

/** Sends captured requests again, to the service of their tunnel and nowhere else. No redirect is followed. */
export function createReplayer(
  store: ExchangeStore,
  findTunnel: (name: string) => InspectedTunnel | undefined,
) {
  const running = new Set<AbortController>()

  return {
    /** Returns when the answer is here, with the exchange it became. */
    async replay(exchange: Exchange, edits: ReplayEdits): Promise<string> {
      const tunnel = findTunnel(exchange.tunnel)
      if (!tunnel) throw new ReplayRefused(`The tunnel ${exchange.tunnel} is not open any more.`)
      if (running.size >= replaysMax) {
        throw new ReplayRefused(`${replaysMax} replays are running; wait for one to end.`)
      }
      const wanted = requestOf(exchange, edits, tunnel)
      checkTarget(tunnel)
      const stop = new AbortController()
      running.add(stop)
      try {
        return await send(wanted, tunnel, stop.signal)
      } finally {
        running.delete(stop)
      }
    },
    close() {
      for (const each of running) each.abort()
    },
  }

  function send(
    { method, path, headers, body, of }: WantedRequest,
    { upstream, guard }: InspectedTunnel,
    signal: AbortSignal,
  ): Promise<string> {
    const { host, port, tls } = upstream
    const text = `${method} ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    const tap = store.tap(of.tunnel, of.id)(Buffer.from(text, 'latin1'), '127.0.0.1')
    const id = store.list()[0]?.id ?? ''
    tap.onRequestData(body)
    return new Promise((resolve) => {
      let isAnswered = false
      const end = (code?: string, cut = code !== undefined) => {
        clearTimeout(timer)
        tap.onEnd({ code, cut })
        resolve(id)
      }
      const sending = (tls ? secureRequest : request)({
        host,
        port,
        method,
        path,
        headers: headers.flat(),
        setHost: false,
        agent: false,
        lookup: guard.lookup,
        signal,
        maxHeaderSize: responseHeadBytesMax,
        // The service is the developer’s own, often self-signed, as it is for requests of visitors.
        ...(tls ? { rejectUnauthorized: false } : {}),
      })
      const tooLate = new Error('the service did not answer in time')
      const timer = setTimeout(() => sending.destroy(tooLate), replayTimeoutMs)
      sending.once('response', (response) => {
        isAnswered = true
        const { statusCode, statusMessage, httpVersion, rawHeaders } = response
        const fields = rawHeaders.map((part, at) => (at % 2 === 0 ? `${part}: ` : `${part}\r\n`))
        const line = `HTTP/${httpVersion} ${statusCode} ${statusMessage}\r\n`
        tap.onResponseHead(Buffer.from(`${line}${fields.join('')}\r\n`, 'latin1'))
        response.on('data', (piece: Buffer) => tap.onResponseData(piece))
        response.once('close', () => end(undefined, !response.complete))
      })
      // Behind the response it is the response that closes.
      sending.on('error', (error) => {
        const code = error === tooLate ? 'SLUICE_UPSTREAM_TIMEOUT' : 'SLUICE_UPSTREAM_REFUSED'
        if (!isAnswered) end(code)
      })
      // A replayed upgrade would be a connection that nobody holds.
      sending.once('upgrade', (_response, socket) => {
        socket.destroy()
        end('SLUICE_UPSTREAM_INVALID')
      })
      sending.end(body)
    })
  }
}

interface WantedRequest {
  readonly of: Exchange
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
}

function requestOf(exchange: Exchange, edits: ReplayEdits, tunnel: InspectedTunnel): WantedRequest {
  const head = parseHead(exchange.requestHead)
  const { method, path } = { ...requestLineOf(head), ...withoutUndefined(edits) }
  if (!methodForm.test(method) || method.toUpperCase() === 'CONNECT') {
    throw new ReplayRefused('The method is one word, such as GET.')
  }
  if (!pathForm.test(path)) {
    throw new ReplayRefused('The path begins with a slash and has no spaces.')
  }
  const { requestBody } = exchange
  if (edits.body === undefined && requestBody.keptBytes < requestBody.totalBytes) {
    throw new ReplayRefused('The body was kept in part only. Edit the request and give it a body.')
  }
  const kept = Buffer.concat(requestBody.pieces.map(({ bytes }) => bytes))
  const body = edits.body === undefined ? kept : Buffer.from(edits.body)
  const headers = (edits.headers ?? head.fields).filter(
    ([name]) => !ownFields.has(name.toLowerCase()),
  )
  for (const [name, value] of headers) checkField(name, value)
  const hasBody = body.length > 0 || /^(?:POST|PUT|PATCH)$/i.test(method)
  return {
    of: exchange,
    method,
    path,
    body,
    headers: [
      ...withHost(headers, tunnel),
      ...(hasBody ? [['Content-Length', String(body.length)] as const] : []),
    ],
  }
}

function checkTarget({ guard, upstream }: InspectedTunnel): void {
  try {
    guard.check(upstream)
  } catch (error) {
    const reason = error instanceof SluiceError ? String(error.details['reason']) : String(error)
    throw new ReplayRefused(reason, { cause: error })
  }
}

function checkField(name: string, value: string): void {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch (error) {
    throw new ReplayRefused(`The header ${JSON.stringify(name)} is not valid.`, { cause: error })
  }
}

/** As the forwarder does for a visitor’s request. */
function withHost(
  headers: readonly (readonly [string, string])[],
  { upstream, hostHeader }: InspectedTunnel,
): readonly (readonly [string, string])[] {
  const { host, port, tls } = upstream
  const bare = host.includes(':') ? `[${host}]` : host
  const own = port === (tls ? 443 : 80) ? bare : `${bare}:${port}`
  const given = headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? own
  const value = hostHeader === 'preserve' ? given : hostHeader === 'rewrite' ? own : hostHeader
  return [['Host', value], ...headers.filter(([name]) => name.toLowerCase() !== 'host')]
}

function withoutUndefined({ method, path }: ReplayEdits) {
  return { ...(method === undefined ? {} : { method }), ...(path === undefined ? {} : { path }) }
}
