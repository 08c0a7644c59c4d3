import type { IncomingMessage, ServerResponse } from 'node:http'

import { requestIdHeader } from '@sluice/kit/internal-token'
import type { Log } from '@sluice/kit/log'
import { SluiceError, type ErrorCode } from '@sluice/schema/errors'

import type { Authenticator } from './authenticate.ts'
import { readBody } from './body.ts'
import { identityKeyOf, type Call } from './call.ts'
import type { Door } from './check-operation.ts'
import { codeOf, refusalErrors, statusOf, type PublicError } from './graph-errors.ts'
import { parseGraphRequest, type GraphRequest } from './graph-request.ts'
import type { Limits } from './limits.ts'
import type { PublicResult } from './live-subscription.ts'
import type { Operations } from './operations.ts'
import type { Admission } from './public/admission.ts'
import type { Budget } from './public/budget.ts'
import { sendEvents } from './server-sent-events.ts'

const jsonType = 'application/json'
const rateLimited: ErrorCode = 'SLUICE_RATE_LIMITED'
const graphType = 'application/graphql-response+json'
const eventsType = 'text/event-stream'
/** A browser sends none of these to another site without asking first, and we never answer yes. */
const deliberateHeaders = [
  'authorization',
  'sluice-request',
  'graphql-require-preflight',
  'apollo-require-preflight',
]

export interface HttpDoorOptions {
  operations: Operations
  authenticator: Authenticator
  admission: Admission
  documents: Door['documents']
  isAllowedOrigin: (origin: string | undefined) => boolean
  visitorIpOf: (request: IncomingMessage) => string
  /** Null where no cookie counts. */
  refreshCookieName: string | null
  limits: Limits
  log: Log
}

/** A door of the graph over HTTP: queries and mutations as JSON, subscriptions as server-sent events. */
export function createHttpDoor(options: HttpDoorOptions) {
  const { operations, authenticator, admission, limits, log } = options

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = crypto.randomUUID()
    response.setHeader(requestIdHeader, requestId)
    response.setHeader('cache-control', 'no-store')
    response.setHeader('vary', 'accept, authorization, origin')
    let budget: Budget | null = null
    const gone = new AbortController()
    response.once('close', () => gone.abort(new DOMException('the client left', 'AbortError')))

    try {
      if (request.method !== 'POST' && request.method !== 'GET') {
        response.writeHead(405, { allow: 'GET, POST' }).end()
        return
      }
      assertDeliberate(request, options.isAllowedOrigin)
      const graphRequest = await readRequest(request, limits)
      const visitorIp = options.visitorIpOf(request)
      const authorization = request.headers.authorization ?? null
      // After the body, which may take its time: who is asking is decided when the operation starts.
      const caller = await authenticator.authenticate(authorization, visitorIp)
      const { principal } = caller
      admission.assertAdmitted(principal)
      budget = admission.budgetOf(principal)
      if (budget) await budget.enter()
      const call: Call = {
        principal,
        ...(budget ? { budget } : {}),
        identityKey: identityKeyOf(principal, visitorIp),
        requestId,
        visitorIp,
        signal: gone.signal,
        userAgent: request.headers['user-agent'] ?? null,
        refreshToken: cookieOf(request, options.refreshCookieName),
        setCookie: (value) => response.appendHeader('set-cookie', value),
        identityChanged: () => authenticator.forget(authorization),
      }
      const door: Door = {
        transport: wantsEvents(request) ? 'sse' : 'http',
        method: request.method,
        documents: options.documents,
      }
      const outcome = await operations.run(graphRequest, principal, call, door)
      showBudget(response, budget)
      if (gone.signal.aborted) {
        if (outcome.kind === 'live') outcome.live.end('left', null)
        return
      }
      if (outcome.kind === 'refused') return sendErrors(request, response, outcome.errors)
      if (outcome.kind === 'result') return sendOutcome(request, response, outcome.result)
      const leave = authenticator.watch(caller, visitorIp, (reason) => gone.abort(reason))
      try {
        await sendEvents(response, outcome.live, limits)
      } finally {
        leave()
      }
    } catch (error) {
      showBudget(response, budget)
      sendErrors(request, response, refusalErrors(error, requestId, log))
    }
  }
}

/** Refuses what a page of another site could make a browser send (CSRF). */
function assertDeliberate(
  request: IncomingMessage,
  isAllowedOrigin: HttpDoorOptions['isAllowedOrigin'],
): void {
  const { headers, method } = request
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  const deliberate =
    method === 'POST' ? type === jsonType : deliberateHeaders.some((name) => name in headers)
  if (!deliberate || !isAllowedOrigin(headers.origin))
    throw new SluiceError('SLUICE_REQUEST_UNSAFE')
}

async function readRequest(request: IncomingMessage, limits: Limits): Promise<GraphRequest> {
  if (request.method === 'POST') {
    const body = await readBody(request, limits.bodyBytesMax, (max) => {
      return new SluiceError('SLUICE_DOCUMENT_TOO_LARGE', { limit: `at most ${max} bytes` })
    })
    return parseGraphRequest(parseJson(body.toString('utf8')), limits)
  }
  const { searchParams } = new URL(request.url ?? '/', 'http://gateway.invalid')
  const variables = searchParams.get('variables')
  return parseGraphRequest(
    {
      query: searchParams.get('query') ?? undefined,
      documentId: searchParams.get('documentId') ?? undefined,
      operationName: searchParams.get('operationName') ?? undefined,
      variables: variables === null ? undefined : parseJson(variables),
    },
    limits,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason: 'the request is not JSON' })
  }
}

function wantsEvents(request: IncomingMessage): boolean {
  return request.headers.accept?.includes(eventsType) ?? false
}

function showBudget(response: ServerResponse, budget: Budget | null): void {
  if (!budget || response.headersSent) return
  for (const [name, value] of Object.entries(budget.headers())) response.setHeader(name, value)
}

function cookieOf(request: IncomingMessage, name: string | null): string | null {
  if (name === null) return null
  for (const part of request.headers.cookie?.split(';') ?? []) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name && value) return value
  }
  return null
}

/** Whoever comes too often learns it from the answer's head, too: by its status if nothing else came of it. */
function sendOutcome(
  request: IncomingMessage,
  response: ServerResponse,
  result: PublicResult,
): void {
  const limited = result.errors?.filter(({ extensions }) => extensions?.['code'] === rateLimited)
  if (!limited || limited.length === 0) return sendResult(request, response, 200, result)
  const waits = limited.map(({ extensions }) => Number(extensions?.['retryAfterSeconds']) || 1)
  response.setHeader('retry-after', Math.max(...waits))
  if (result.data === null) response.setHeader('sluice-error', rateLimited)
  sendResult(request, response, result.data === null ? 429 : 200, result)
}

function sendErrors(
  request: IncomingMessage,
  response: ServerResponse,
  errors: readonly PublicError[],
): void {
  if (response.headersSent) return void response.destroy()
  response.setHeader('sluice-error', codeOf(errors))
  const wait = errors[0]?.extensions?.['retryAfterSeconds']
  if (typeof wait === 'number') response.setHeader('retry-after', wait)
  // What is left of a body nobody wants is not read: the connection goes with the answer.
  if (!request.complete) response.setHeader('connection', 'close')
  sendResult(request, response, statusOf(errors), { errors })
}

function sendResult(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  result: PublicResult,
): void {
  const type = request.headers.accept?.includes(graphType) ? graphType : jsonType
  const body = Buffer.from(JSON.stringify(result))
  response
    .writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'content-length': body.length })
    .end(body)
}
