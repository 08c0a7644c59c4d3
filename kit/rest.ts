import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { SluiceError } from '@sluice/schema/errors'

import {
  internalHeader,
  requestIdHeader,
  visitorIpHeader,
  type InternalVerifier,
} from './internal-token.ts'
import { sendProblem, type Caller } from './subgraph.ts'

export type RestMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface RestRequest {
  readonly method: RestMethod
  /** Without the query. */
  readonly path: string
  /** What stands for `:name` in the route's path, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Who asks, as for the graph: make a context of it. */
  readonly caller: Caller
  readonly body: Buffer
  /** The body as JSON. Throws SLUICE_INPUT_INVALID for anything else; `{}` for none. */
  readonly json: () => unknown
  /** The body as a form (`application/x-www-form-urlencoded`). */
  readonly form: () => URLSearchParams
  /** A cookie of ours. Others do not travel. */
  readonly cookie: (name: string) => string | null
}

export interface RestAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  /**
   * Text and bytes are sent as they are, what can be iterated as it comes, anything else as JSON. What can be iterated is
   * not touched for HEAD, so that whatever it does belongs into it and not before.
   */
  readonly body?: unknown
}

export interface RestRoute {
  readonly method: RestMethod
  /** Segments; `:name` stands for any one. */
  readonly path: string
  readonly bodyBytesMax?: number
  handle(request: RestRequest): Promise<RestAnswer> | RestAnswer
  /** For protocols with errors of their own form; problem JSON if left out. */
  problem?(error: SluiceError): RestAnswer
}

const defaultBodyBytesMax = 64 * 1024

/**
 * The REST side of a subgraph, for what outside protocols demand: pass it as the `route` of `openSubgraph`. Whoever does
 * not come through the gateway is refused. Unexpected failures are the shell's.
 */
export function createRestRoutes({
  verify,
  routes,
}: {
  verify: InternalVerifier
  routes: readonly RestRoute[]
}) {
  const compiled = routes.map((route) => ({ route, match: matcherOf(route.path) }))

  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const { pathname: path, searchParams: query } = new URL(
      request.url ?? '/',
      'http://rest.invalid',
    )
    const found = compiled.flatMap(({ route, match }) => {
      const params = match(path)
      return params ? [{ route, params }] : []
    })
    if (found.length === 0) return false
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const chosen = found.find(({ route }) => route.method === method)
    if (!chosen) {
      const allow = found.map(({ route }) => route.method).join(', ')
      response.writeHead(405, { allow }).end()
      return true
    }
    const { route, params } = chosen
    try {
      const caller = await callerOf(request, response, verify)
      const body = await readBody(request, route.bodyBytesMax ?? defaultBodyBytesMax)
      const answer = await route.handle({
        method: route.method,
        path,
        params,
        query,
        caller,
        body,
        json: () => parseJson(body),
        form: () => new URLSearchParams(body.toString('utf8')),
        cookie: (name) => cookieOf(request, name),
      })
      await send(response, answer, request.method === 'HEAD')
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      if (!route.problem || response.headersSent) sendProblem(response, error)
      else await send(response, route.problem(error))
    }
    return true
  }
}

async function callerOf(
  request: IncomingMessage,
  response: ServerResponse,
  verify: InternalVerifier,
): Promise<Caller> {
  const principal = await verify(headerOf(request, internalHeader), request.socket.remoteAddress)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return {
    principal,
    requestId: headerOf(request, requestIdHeader) ?? crypto.randomUUID(),
    visitorIp: headerOf(request, visitorIpHeader) ?? '',
    signal: gone.signal,
    header: (name) => headerOf(request, name),
    setHeader: (name, value) => response.appendHeader(name, value),
  }
}

async function send(
  response: ServerResponse,
  { status, headers = {}, body }: RestAnswer,
  toHead = false,
): Promise<void> {
  for (const [name, value] of Object.entries(headers)) response.appendHeader(name, value)
  if (!response.hasHeader('cache-control')) response.setHeader('cache-control', 'no-store')
  response.statusCode = status
  if (body === undefined || body === null) response.end()
  else if (typeof body === 'string' || Buffer.isBuffer(body)) response.end(body)
  else if (typeof body === 'object' && Symbol.asyncIterator in body) {
    // Nobody reads it: what is made as it is sent is not made at all.
    if (toHead) return void response.end()
    // A failure half-way cuts the answer off: nobody takes a part for the whole.
    await pipeline(Readable.from(body as AsyncIterable<unknown>), response)
  } else {
    if (!response.hasHeader('content-type')) response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  }
}

function matcherOf(pattern: string): (path: string) => Record<string, string> | null {
  const wanted = pattern.split('/')
  return (path) => {
    const given = path.split('/')
    if (given.length !== wanted.length) return null
    const params: Record<string, string> = {}
    for (const [index, segment] of wanted.entries()) {
      const value = given[index] ?? ''
      if (!segment.startsWith(':')) {
        if (segment !== value) return null
        continue
      }
      const decoded = decodedOf(value)
      if (decoded === null || decoded === '') return null
      params[segment.slice(1)] = decoded
    }
    return params
  }
}

function decodedOf(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) {
      throw new SluiceError('SLUICE_BODY_TOO_LARGE', { max: bytesMax })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes)
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {}
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    const reason = 'the body is not JSON'
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason }, { cause: error })
  }
}

function cookieOf(request: IncomingMessage, wanted: string): string | null {
  for (const pair of (headerOf(request, 'cookie') ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2)
    if (name === wanted && value) return value
  }
  return null
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' ? value : null
}
