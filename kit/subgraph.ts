import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

import { problemOf, SluiceError } from '@sluice/schema/errors'
import {
  createSourceEventStream,
  execute,
  type GraphQLError,
  parse,
  validate,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql'
import { createYoga } from 'graphql-yoga'
import type { JSONWebKeySet } from 'jose'
import { LRUCache } from 'lru-cache'

import { maskError } from './graphql-errors.ts'
import {
  createInternalVerifier,
  internalHeader,
  requestIdHeader,
  visitorIpHeader,
  type InternalKey,
  type SubgraphName,
} from './internal-token.ts'
import type { Log } from './log.ts'
import { listen } from './metrics.ts'
import type { Principal } from './principal.ts'
import { serveSubgraphSockets } from './subgraph-sockets.ts'

/** What is known of a call before any rule runs. */
export interface Caller {
  principal: Principal
  requestId: string
  visitorIp: string
  /** Ends when the gateway gave up on the call. */
  signal: AbortSignal | undefined
  /** The request's headers, in lower case, for what a subgraph and the gateway agreed on beyond the principal. */
  header(name: string): string | null
  /** Sets a header of the HTTP answer; does nothing for a subscription. */
  setHeader(name: string, value: string): void
}

export interface SubgraphOptions<Context extends object> {
  name: SubgraphName
  schema: GraphQLSchema
  /** Made anew for each request and for each event of a subscription. */
  context: (caller: Caller) => Context
  internalPublicJwks: JSONWebKeySet
  port: number
  host?: string
  log: Log
  /** Why the part is not ready, or null. */
  notReady: () => Promise<string | null>
  /** Hears of calls without the gateway's signature, and from which address they came. */
  onForged?: (ip: string) => void
  /** Hears of each key that a gateway has made for itself, when it is first met. */
  onInternalKey?: (key: InternalKey) => void
  /** REST routes beside the graph. Returns false for a path it does not have. */
  route?: (request: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean
}

const documentsCachedMax = 1_000
const bodyBytesMax = 4 * 1024 * 1024

/** The HTTP and graphql-ws shell of a subgraph: refuses whoever is not the gateway, masks errors, closes cleanly. */
export async function openSubgraph<Context extends object>(
  options: SubgraphOptions<Context>,
): Promise<{ port: number; close(): Promise<void> }> {
  const { schema, log, name: audience, internalPublicJwks, onForged, onInternalKey } = options
  const verify = createInternalVerifier(internalPublicJwks, audience, {
    ...(onForged ? { onForged } : {}),
    ...(onInternalKey ? { onKey: onInternalKey } : {}),
  })
  const mask = (error: unknown) =>
    maskError(error, (id, cause) => log.error({ err: cause, id }, 'unexpected failure'))

  const yoga = createYoga<{ caller: Caller }>({
    schema,
    logging: false,
    graphiql: false,
    landingPage: false,
    maskedErrors: { maskError: mask },
    context: ({ caller }) => options.context(caller),
  })

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      sendProblem(response, error instanceof SluiceError ? error : internal(log, error))
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0]
    if (path === '/healthz') return void response.end('ok\n')
    if (path === '/readyz') {
      const reason = await options.notReady()
      return void response.writeHead(reason === null ? 200 : 503).end(`${reason ?? 'ready'}\n`)
    }
    if (path !== '/graphql') {
      if (await options.route?.(request, response)) return
      return void response.writeHead(404).end()
    }
    if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) {
      return void response.writeHead(413, { connection: 'close' }).end()
    }
    const principal = await verify(headerOf(request, internalHeader), request.socket.remoteAddress)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const caller: Caller = {
      principal,
      requestId: headerOf(request, requestIdHeader) ?? crypto.randomUUID(),
      visitorIp: headerOf(request, visitorIpHeader) ?? '',
      signal: gone.signal,
      header: (name) => headerOf(request, name),
      setHeader: (name, value) => response.setHeader(name, value),
    }
    // Yoga's Node adapter takes the server context as rest arguments.
    await yoga.handle(request, response, { caller })
  }

  const documents = new LRUCache<string, DocumentNode | readonly GraphQLError[]>({
    max: documentsCachedMax,
  })
  const documentOf = (text: string): DocumentNode | readonly GraphQLError[] => {
    const known = documents.get(text)
    if (known) return known
    let result: DocumentNode | readonly GraphQLError[]
    try {
      const document = parse(text)
      const problems = validate(schema, document)
      result = problems.length > 0 ? problems : document
    } catch (error) {
      result = [error as GraphQLError]
    }
    documents.set(text, result)
    return result
  }

  const sockets = serveSubgraphSockets(
    server,
    {
      async onSubscribe({ extra }, _id, payload) {
        const { extensions } = payload
        try {
          // Every operation carries its own token: the socket is shared by everybody behind the gateway.
          const principal = await verify(
            textOf(extensions?.['internal']),
            extra.request.socket.remoteAddress,
          )
          const document = documentOf(payload.query)
          if (!('kind' in document)) return document
          const makeContext = () =>
            options.context({
              principal,
              requestId: textOf(extensions?.['requestId']) ?? crypto.randomUUID(),
              visitorIp: textOf(extensions?.['visitorIp']) ?? '',
              signal: undefined,
              header: () => null,
              setHeader: () => undefined,
            })
          return {
            schema,
            document,
            operationName: payload.operationName ?? null,
            variableValues: payload.variables ?? {},
            contextValue: makeContext(),
            makeContext,
          } as ExecutionArgs
        } catch (error) {
          return [mask(error)]
        }
      },
      subscribe: (args) => subscribePerEvent(args as ExecutionArgs & { makeContext: () => object }),
      onNext: (_context, _id, _payload, _args, { errors, data, extensions }) => ({
        ...(data === undefined ? {} : { data }),
        ...(extensions ? { extensions } : {}),
        ...(errors ? { errors: errors.map((error) => mask(error).toJSON()) } : {}),
      }),
      onError: (_context, _id, _payload, errors) => errors.map((error) => mask(error).toJSON()),
    },
    log,
  )

  const listening = await listen(server, options.port, options.host)
  return {
    port: listening.port,
    async close() {
      await sockets.close()
      await listening.close()
      await yoga.dispose()
    },
  }
}

/** graphql-js keeps one context for a subscription's life; ours is made per event, so that no identity map grows. */
async function subscribePerEvent(args: ExecutionArgs & { makeContext: () => object }) {
  const source = await createSourceEventStream(args)
  if (!(Symbol.asyncIterator in source)) return source
  const events = source[Symbol.asyncIterator]()
  return {
    async next(): Promise<IteratorResult<ExecutionResult>> {
      const event = await events.next()
      if (event.done) return { done: true, value: undefined }
      const value = await execute({
        ...args,
        rootValue: event.value,
        contextValue: args.makeContext(),
      })
      return { done: false, value }
    },
    async return(): Promise<IteratorResult<ExecutionResult>> {
      await events.return?.()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** Answers with a problem body (RFC 9457). */
export function sendProblem(response: ServerResponse, error: SluiceError): void {
  if (response.headersSent) return void response.destroy()
  const problem = problemOf(error)
  response
    .writeHead(problem.status, {
      'content-type': 'application/problem+json',
      'sluice-error': problem.code,
    })
    .end(JSON.stringify(problem))
}

function internal(log: Log, error: unknown): SluiceError {
  const id = crypto.randomUUID()
  log.error({ err: error, id }, 'unexpected failure')
  return new SluiceError('SLUICE_INTERNAL', { id })
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' ? value : null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
