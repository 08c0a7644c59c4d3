import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Log } from '@sluice/kit/log'
import { sendProblem } from '@sluice/kit/subgraph'
import { SluiceError } from '@sluice/schema/errors'

import type { ConsoleFiles } from './console-files.ts'
import { graphiqlPaths } from './graphiql.ts'
import type { Identity } from './identity.ts'
import { securityHeaders } from './security-headers.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>

/** Which part of the gateway answers a path. What none of them expected leaves as an id. */
export function createRoutes(options: {
  graph: Answer
  /** Null when the supergraph has no public field. */
  publicGraph: Answer | null
  /** False for a path that is not its. */
  rest: (request: IncomingMessage, response: ServerResponse, path: string) => Promise<boolean>
  graphiql: Answer
  files: ConsoleFiles
  identity: Identity
  jwksCachedMs: number
  supergraphSha256: () => string
  consoleOrigin: string
  log: Log
}) {
  const headers = Object.entries(securityHeaders(options.consoleOrigin))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request)
    for (const [name, value] of headers) response.setHeader(name, value)
    if (path === '/graphql') return options.graph(request, response, path)
    if (path === publicGraphPath && options.publicGraph) {
      return options.publicGraph(request, response, path)
    }
    if (await options.rest(request, response, path)) return
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    if (path === '/healthz') return sendText(response, 'ok\n')
    if (path === '/readyz') return sendText(response, `${options.supergraphSha256()}\n`)
    if (path === '/.well-known/jwks.json') return sendJwks(response)
    if (graphiqlPaths.has(path)) return options.graphiql(request, response, path)
    return options.files.answer(request, response, path)
  }

  async function sendJwks(response: ServerResponse): Promise<void> {
    const body = await options.identity.jwks()
    const seconds = Math.floor(options.jwksCachedMs / 1000)
    response
      .writeHead(200, {
        'content-type': 'application/json',
        'cache-control': `public, max-age=${seconds}`,
      })
      .end(body)
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof SluiceError) return sendProblem(response, error)
      const id = crypto.randomUUID()
      options.log.error({ err: error, id }, 'unexpected failure')
      return sendProblem(response, new SluiceError('SLUICE_INTERNAL', { id }))
    })
  }
}

export const publicGraphPath = '/public/graphql'

export function pathOf(request: IncomingMessage): string {
  return request.url?.split('?', 1)[0] ?? '/'
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(text)
}
