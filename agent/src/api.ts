import { SluiceError } from '@sluice/schema/errors'
import type { cliOperations } from '@sluice/schema/operations/cli'

import { networkReasonOf, requestText, type HttpAnswer } from './http-request.ts'
import { refusalOf } from './problem.ts'
import type { ProxyOf } from './proxy.ts'

const answerTimeoutMs = 15_000
const answerBytesMax = 4 * 1024 * 1024

type Document = (typeof cliOperations)[keyof typeof cliOperations]

export interface ApiOptions {
  readonly server: string
  readonly authtoken: string
  readonly ca?: string | undefined
  readonly proxyOf?: ProxyOf | undefined
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

interface PartialAnswer<Data> {
  readonly data: Data
  /** Why some nullable fields are null: a part of the server is down. */
  readonly problems: readonly Error[]
}

export interface Api {
  /** The data of one operation. Any error in the answer is thrown. */
  query<Data>(document: Document, variables?: object): Promise<Data>
  /** The data that there is, with the reasons for what is missing. Thrown only when there is none. */
  queryPartial<Data>(document: Document, variables?: object): Promise<PartialAnswer<Data>>
}

/** The server's graph over HTTP, as the holder of one authtoken. */
export function createApi(options: ApiOptions): Api {
  const { server, authtoken, ca, proxyOf, signal, timeoutMs = answerTimeoutMs } = options

  async function send(document: Document, variables: object = {}): Promise<PartialAnswer<unknown>> {
    const answer = await post(JSON.stringify({ query: document, variables }))
    const { data, problems } = parseAnswer(answer, server)
    if (data !== null && data !== undefined) return { data, problems }
    throw problems[0] ?? foreign(server, 'the answer holds neither data nor errors')
  }

  async function post(body: string): Promise<HttpAnswer> {
    try {
      return await requestText(new URL('/graphql', server), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
          accept: 'application/graphql-response+json, application/json',
          authorization: `Bearer ${authtoken}`,
        },
        body,
        timeoutMs,
        answerBytesMax,
        ca,
        proxyOf,
        signal,
      })
    } catch (error) {
      signal?.throwIfAborted()
      throw unreachable(server, error)
    }
  }

  // What the server answers to a persisted document has the document's shape: the schema is its contract.
  return {
    queryPartial: async <Data>(document: Document, variables?: object) =>
      (await send(document, variables)) as PartialAnswer<Data>,
    query: async <Data>(document: Document, variables?: object) => {
      const { data, problems } = await send(document, variables)
      if (problems[0]) throw problems[0]
      return data as Data
    },
  }
}

/** Whether trying again may help: the server was away, or a part of it. */
export function isPassing(error: unknown): boolean {
  return error instanceof SluiceError && passingCodes.has(error.code)
}

const passingCodes = new Set<string>([
  'SLUICE_SERVER_UNREACHABLE',
  'SLUICE_SERVER_FOREIGN', // A proxy in front of a server that restarts answers with a page of its own.
  'SLUICE_SUBGRAPH_UNAVAILABLE',
  'SLUICE_SUBGRAPH_TIMEOUT',
  'SLUICE_SUBSCRIPTION_LOST',
  'SLUICE_SUBSCRIPTION_RELOAD',
  'SLUICE_SUBSCRIPTIONS_MAX',
  'SLUICE_RATE_LIMITED',
  'SLUICE_INTERNAL',
])

export function unreachable(server: string, error: unknown): SluiceError {
  return new SluiceError(
    'SLUICE_SERVER_UNREACHABLE',
    { server, reason: sentence(networkReasonOf(error)) },
    { cause: error },
  )
}

function foreign(server: string, reason: string): SluiceError {
  return new SluiceError('SLUICE_SERVER_FOREIGN', { server, reason })
}

function parseAnswer({ status, headers, body }: HttpAnswer, server: string) {
  const type = headers['content-type'] ?? 'no content type'
  if (status >= 500 && !type.includes('json')) {
    // A balancer says so when nothing is behind it.
    throw unreachable(server, new Error(`it answered with status ${status}`))
  }
  if (!type.includes('json')) throw foreign(server, `it answered ${status} with ${type}`)
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    throw new SluiceError(
      'SLUICE_SERVER_FOREIGN',
      { server, reason: 'it answered with broken JSON' },
      { cause: error },
    )
  }
  if (typeof value !== 'object' || value === null)
    throw foreign(server, 'it answered with no object')
  const { data, errors, ...problem } = value as Record<string, unknown>
  // Outside GraphQL, at a limit for example, the gateway answers with a problem body.
  if (typeof problem['code'] === 'string') throw refusalOf(String(problem['title']), problem)
  return { data, problems: Array.isArray(errors) ? errors.map(problemFrom) : [] }
}

/** One entry of GraphQL `errors`, as what can be thrown. */
export function problemFrom(entry: unknown): Error {
  if (typeof entry !== 'object' || entry === null) return refusalOf('unknown error', {})
  const { message, extensions } = entry as { message?: unknown; extensions?: unknown }
  const fields = typeof extensions === 'object' && extensions !== null ? extensions : {}
  return refusalOf(String(message), fields as Record<string, unknown>)
}

function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
}
