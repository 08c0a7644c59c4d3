import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import {
  internalHeader,
  requestIdHeader,
  visitorIpHeader,
  type InternalSigner,
  type SubgraphName,
} from '@sluice/kit/internal-token'
import type { Log } from '@sluice/kit/log'
import { anonymous, type Principal } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import { Pool, type Dispatcher } from 'undici'

import type { Authenticator } from './authenticate.ts'
import { readBody } from './body.ts'
import type { Limits } from './limits.ts'
import type { RestPath } from './rest-paths.ts'
import { setCookieHeader, userAgentHeader } from './subgraph-source.ts'

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
/** What of a request reaches a subgraph, beside what the gateway says itself. */
const forwarded = ['accept', 'content-type', 'if-match', 'if-none-match']
/** What of an answer reaches the client. */
const returned = [
  'allow',
  'cache-control',
  'content-disposition',
  'content-security-policy',
  'content-type',
  'etag',
  'location',
  'retry-after',
  'sluice-error',
  'www-authenticate',
]
const cookiePrefix = /^(?:__Host-)?sluice_/

export interface RestDoorOptions {
  paths: readonly RestPath[]
  urls: Readonly<Record<SubgraphName, string>>
  signer: InternalSigner
  authenticator: Authenticator
  visitorIpOf: (request: IncomingMessage) => string
  limits: Limits
  log: Log
}

/** Paths outside the graph, brought to the subgraph that has them with the signed word who asks. Answers are streamed. */
export function createRestDoor(options: RestDoorOptions) {
  const { paths, signer, authenticator, limits, log } = options
  const pools = new Map<SubgraphName, Pool>()
  const poolOf = (name: SubgraphName): Pool => {
    const known = pools.get(name)
    if (known) return known
    const pool = new Pool(new URL(options.urls[name]).origin, {
      connections: limits.subgraphConnectionsMax,
      pipelining: 1,
      headersTimeout: limits.restTimeoutMs,
      bodyTimeout: limits.restTimeoutMs,
      keepAliveTimeout: 4_000,
    })
    pools.set(name, pool)
    return pool
  }

  /** What is said to any subgraph, and as whom. */
  async function headersOf(
    request: IncomingMessage,
    { credential }: RestPath,
    requestId: string,
  ): Promise<{ principal: Principal; headers: Record<string, string> }> {
    const visitorIp = options.visitorIpOf(request)
    const { authorization = null, cookie = '', 'user-agent': userAgent = '' } = request.headers
    let principal: Principal = anonymous
    const headers: Record<string, string> = {}
    if (credential === 'gateway') {
      ;({ principal } = await authenticator.authenticate(authorization, visitorIp))
      // What is outside the graph is for machines, imports and exports.
      if (principal.impersonatedBy) throw new SluiceError('SLUICE_IMPERSONATION_FORBIDDEN')
    } else if (credential === 'subgraph') {
      if (authorization !== null) headers['authorization'] = authorization
    } else {
      const own = cookie.split(';').map((pair) => pair.trim())
      headers['cookie'] = own.filter((pair) => cookiePrefix.test(pair)).join('; ')
    }
    for (const name of forwarded) {
      const value = request.headers[name]
      if (typeof value === 'string') headers[name] = value
    }
    const own = { [requestIdHeader]: requestId, [visitorIpHeader]: visitorIp }
    return { principal, headers: { ...headers, ...own, [userAgentHeader]: userAgent } }
  }

  /** False for a path that is none of these. */
  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<boolean> {
    const found = paths.find(({ prefix }) => path.startsWith(prefix))
    if (!found) return false
    const { method = 'GET' } = request
    if (!methods.has(method)) {
      response.writeHead(405, { allow: [...methods].join(', ') }).end()
      return true
    }
    const requestId = crypto.randomUUID()
    response.setHeader(requestIdHeader, requestId)
    response.setHeader('cache-control', 'no-store')
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const { principal, headers } = await headersOf(request, found, requestId)
    const body = await readBody(request, found.bodyBytesMax, (max) => {
      return new SluiceError('SLUICE_BODY_TOO_LARGE', { max })
    })
    const ask = async (subgraph: SubgraphName): Promise<SubgraphReply> => ({
      subgraph,
      reply: await poolOf(subgraph).request({
        method,
        path: request.url ?? path,
        headers: { ...headers, [internalHeader]: await signer.headerFor(principal, subgraph) },
        ...(body.length > 0 ? { body } : {}),
        signal: gone.signal,
      }),
    })
    try {
      const first = await ask(found.subgraph)
      // A refusal of the first is the answer: the others are not asked.
      const joins = method === 'GET' && first.reply.statusCode === 200 ? (found.joins ?? []) : []
      const others: SubgraphReply[] = []
      for (const subgraph of joins) others.push(await ask(subgraph))
      const told = others.find(({ reply }) => reply.statusCode !== 200) ?? first
      sendHead(response, told.reply)
      if (others.length === 0 || told !== first) {
        for (const { reply } of [first, ...others]) if (reply !== told.reply) leave(reply)
        await pipeline(told.reply.body, response)
      } else await pipeline(Readable.from(joinedText([first, ...others])), response)
    } catch (error) {
      if (gone.signal.aborted) return true
      log.warn({ err: error, subgraph: found.subgraph, requestId }, 'subgraph failed')
      // Half an answer is cut off, so that nobody takes it for the whole.
      if (response.headersSent) response.destroy()
      else throw new SluiceError(codeOf(error), {}, { cause: error })
    }
    return true
  }

  return {
    answer,
    async close() {
      await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()))
    },
  }
}

interface SubgraphReply {
  readonly subgraph: SubgraphName
  readonly reply: Dispatcher.ResponseData
}

/** Nobody reads the rest of it. */
function leave({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined).destroy()
}

function sendHead(response: ServerResponse, reply: Dispatcher.ResponseData): void {
  response.statusCode = reply.statusCode
  for (const name of returned) {
    const value = reply.headers[name]
    if (value !== undefined) response.setHeader(name, value)
  }
  for (const cookie of [reply.headers['set-cookie'], reply.headers[setCookieHeader]].flat()) {
    if (cookie !== undefined) response.appendHeader('set-cookie', cookie)
  }
}

/** One JSON object of the objects that several have answered; each is read when those before it are sent. */
async function* joinedText(replies: readonly SubgraphReply[]): AsyncGenerator<string | Buffer> {
  for (const [index, { subgraph, reply }] of replies.entries()) {
    yield `${index === 0 ? '{' : ','}${JSON.stringify(subgraph)}:`
    yield* reply.body as AsyncIterable<Buffer>
  }
  yield '}'
}

function codeOf(error: unknown): 'SLUICE_SUBGRAPH_TIMEOUT' | 'SLUICE_SUBGRAPH_UNAVAILABLE' {
  const { code } = error as { code?: unknown }
  const late = typeof code === 'string' && code.endsWith('_TIMEOUT')
  return late ? 'SLUICE_SUBGRAPH_TIMEOUT' : 'SLUICE_SUBGRAPH_UNAVAILABLE'
}
