import {
  internalHeader,
  requestIdHeader,
  visitorIpHeader,
  type InternalSigner,
  type SubgraphName,
} from '@sluice/kit/internal-token'
import type { Log } from '@sluice/kit/log'
import type { ErrorCode } from '@sluice/schema/errors'

import type { Call } from './call.ts'
import { distinctRepresentations } from './distinct-representations.ts'
import { EntityBatches } from './entity-batches.ts'
import type { FetchAnswer, PreparedQuery, Source } from './executor/fetch.ts'
import { fetchFailure, subgraphError } from './graph-errors.ts'
import { PoolError, type HttpPool } from './http-pool.ts'
import type { InFlight } from './in-flight.ts'
import type { GatewayMetrics } from './metrics.ts'
import { Stop } from './stop.ts'

/** What came back from a subgraph, not yet parsed: consumers of one answer each parse their own. */
export interface SubgraphAnswer {
  readonly status: number
  readonly text: string
}

/** Names agreed with identity, and used with no other subgraph. */
export const setCookieHeader = 'x-sluice-set-cookie'
const refreshTokenHeader = 'x-sluice-refresh-token'
export const userAgentHeader = 'x-sluice-user-agent'

/**
 * How the executor reaches one subgraph. Headers are built from nothing, so that nothing a client sends travels on;
 * a failure is an error of the catalogue with the path of the fetch, never an exception.
 */
export function createSource(options: {
  name: SubgraphName
  pool: HttpPool
  path: string
  signer: InternalSigner
  inFlight: InFlight<SubgraphAnswer>
  metrics: GatewayMetrics
  log: Log
}): Source {
  const { name, pool, path, signer, inFlight, metrics, log } = options
  const batches = new EntityBatches()
  const requests = metrics.subgraphRequests.labels(name)
  const seconds = metrics.subgraphSeconds.labels(name)

  async function send(
    body: string,
    call: Call,
    stop: Stop,
    mutation: boolean,
  ): Promise<SubgraphAnswer> {
    const identity = name === 'identity' && mutation
    requests.inc()
    const response = await pool.post(path, body, {
      stop,
      // A query may be sent again when a kept connection turns out to be closed; a mutation may have happened.
      repeatable: !mutation,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        [internalHeader]: await signer.headerFor(call.principal, name),
        [requestIdHeader]: call.requestId,
        [visitorIpHeader]: call.visitorIp,
        ...(identity && call.refreshToken ? { [refreshTokenHeader]: call.refreshToken } : {}),
        ...(identity && call.userAgent ? { [userAgentHeader]: call.userAgent } : {}),
      },
    })
    const cookie = response.headers[setCookieHeader]
    if (identity && typeof cookie === 'string') call.setCookie(cookie)
    return response
  }

  function failed(error: unknown, call: Call): FetchAnswer {
    const code = codeOf(error, call.signal)
    if (!call.signal.aborted || code === 'SLUICE_SUBGRAPH_TIMEOUT') {
      log.warn({ err: error, subgraph: name, code, requestId: call.requestId }, 'subgraph failed')
    }
    return { data: null, errors: [fetchFailure(code, call.requestId)] }
  }

  /** GraphQL is taken whatever the status: an error of the graph may come with any. */
  function parsed({ status, text }: SubgraphAnswer, call: Call): FetchAnswer {
    const { requestId } = call
    const body = parseJson(text)
    if (!body || (body.data === undefined && !Array.isArray(body.errors))) {
      const code = status >= 500 ? 'SLUICE_SUBGRAPH_UNAVAILABLE' : 'SLUICE_INTERNAL'
      log.error({ subgraph: name, code, status, requestId }, 'subgraph answered no GraphQL')
      return { data: null, errors: [fetchFailure(code, requestId)] }
    }
    const errors = Array.isArray(body.errors) ? body.errors : []
    const about = { subgraph: name, requestId, log }
    return {
      data: body.data ?? null,
      ...(errors.length > 0 ? { errors: errors.map((one) => subgraphError(one, about)) } : {}),
    }
  }

  /** A query; equal ones of the identity under way are asked once, and so is each entity. */
  async function ask(
    prepared: PreparedQuery,
    others: string,
    representations: readonly string[] | null,
    call: Call,
    signal: AbortSignal,
  ): Promise<FetchAnswer> {
    const distinct = representations && distinctRepresentations(representations)
    const body = bodyOf(prepared, others, distinct?.representations ?? representations)
    const shared = await inFlight.join(call.identityKey, `${name} ${body}`, signal, (stop) =>
      send(body, call, stop, false),
    )
    const result = parsed(shared, call)
    return distinct ? distinct.spread(result) : result
  }

  async function mutate(body: string, call: Call): Promise<FetchAnswer> {
    const { signal } = call
    const stop = new Stop()
    const leave = (): void => stop.now(signal.reason)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    try {
      return parsed(await send(body, call, stop, true), call)
    } finally {
      signal.removeEventListener('abort', leave)
      inFlight.forget(call.identityKey)
      if (name === 'identity') call.identityChanged()
    }
  }

  return {
    async fetch(prepared, variables, representations, context) {
      const call = context as Call
      const startedAtMs = performance.now()
      const others = JSON.stringify(variables)
      try {
        if (prepared.isMutation) return await mutate(bodyOf(prepared, others, null), call)
        if (!call.batched || !representations) {
          return await ask(prepared, others, representations, call, call.signal)
        }
        const key = `${call.identityKey} ${prepared.query} ${others}`
        return await batches.load(key, representations, call.signal, (all, signal) =>
          ask(prepared, others, all, call, signal),
        )
      } catch (error) {
        return failed(error, call)
      } finally {
        seconds.observe((performance.now() - startedAtMs) / 1000)
      }
    },
  }
}

/** The request's text. `others`: the variables beside the representations, as JSON. */
function bodyOf(
  { head, tail }: PreparedQuery,
  others: string,
  representations: readonly string[] | null,
): string {
  if (!representations) return head + others + tail
  const before = others === '{}' ? '{' : `${others.slice(0, -1)},`
  return `${head}${before}"representations":[${representations.join(',')}]}${tail}`
}

function parseJson(text: string): { data?: unknown; errors?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

const codeOfKind: Record<PoolError['kind'], ErrorCode> = {
  timeout: 'SLUICE_SUBGRAPH_TIMEOUT',
  unreachable: 'SLUICE_SUBGRAPH_UNAVAILABLE',
  'too large': 'SLUICE_INTERNAL',
}

/** The join's own deadline is a timeout of the subgraph; a client that left gets whatever, for it reads nothing. */
function codeOf(error: unknown, signal: AbortSignal): ErrorCode {
  if (signal.aborted && signal.reason instanceof DOMException) {
    return signal.reason.name === 'TimeoutError'
      ? 'SLUICE_SUBGRAPH_TIMEOUT'
      : 'SLUICE_SUBGRAPH_UNAVAILABLE'
  }
  return error instanceof PoolError ? codeOfKind[error.kind] : 'SLUICE_INTERNAL'
}
