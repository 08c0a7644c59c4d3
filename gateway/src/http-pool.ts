import type { IncomingHttpHeaders } from 'node:http'

import { Pool, type Dispatcher } from 'undici'

import { Stop } from './stop.ts'

/** Why no answer could be had. The cause is for the log: it holds addresses. */
export class PoolError extends Error {
  override readonly name = 'PoolError'
  readonly kind: 'timeout' | 'unreachable' | 'too large'

  constructor(kind: PoolError['kind'], options?: ErrorOptions) {
    super(`subgraph ${kind}`, options)
    this.kind = kind
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface HttpPool {
  post(
    path: string,
    body: string,
    options: {
      headers: Record<string, string>
      /** Ends the exchange; also used by the deadline. */
      stop?: Stop
      /** Whether it may be sent a second time when the connection was lost before any answer. */
      repeatable: boolean
    },
  ): Promise<Answer>
  get(path: string): Promise<Answer>
  close(): Promise<void>
}

/** Kept-alive connections to one origin, with a deadline for the whole exchange and a bound on the answer. */
export function openHttpPool(
  origin: string,
  limits: { timeoutMs: number; bytesMax: number; connectionsMax: number },
): HttpPool {
  const pool = new Pool(origin, {
    connections: limits.connectionsMax,
    pipelining: 1,
    connect: { timeout: limits.timeoutMs },
    headersTimeout: limits.timeoutMs,
    bodyTimeout: limits.timeoutMs,
    keepAliveTimeout: 4_000,
  })

  async function send(
    request: Request,
    { stop = new Stop(), repeatable }: { stop?: Stop; repeatable: boolean },
  ): Promise<Answer> {
    const deadline = setTimeout(() => stop.now(timedOut()), limits.timeoutMs)
    try {
      return await exchange(pool, request, limits.bytesMax, stop)
    } catch (error) {
      if (repeatable && !stop.isOver && wasStale(error)) {
        return await exchange(pool, request, limits.bytesMax, stop).catch((again: unknown) => {
          throw poolErrorOf(again)
        })
      }
      throw poolErrorOf(error)
    } finally {
      clearTimeout(deadline)
    }
  }

  return {
    post: (path, body, { headers, ...options }) =>
      send({ method: 'POST', path, body, headers }, options),
    get: (path) => send({ method: 'GET', path }, { repeatable: true }),
    close: () => pool.destroy(),
  }
}

interface Request {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

/** One request and its answer, read as it comes: no stream is made of it. */
function exchange(pool: Pool, request: Request, bytesMax: number, stop: Stop): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const chunks: Buffer[] = []
  let bytes = 0
  let status = 0
  let headers: IncomingHttpHeaders = {}
  let controller: Dispatcher.DispatchController | null = null
  const end = (reason: unknown): void => {
    reject(reason)
    controller?.abort(reason as Error)
  }
  stop.onceOver(end)
  pool.dispatch(request, {
    onRequestStart(started) {
      controller = started
      // It may have waited for a connection for longer than anybody waited for it.
      stop.onceOver(end)
    },
    onResponseStart(_controller, statusCode, given) {
      status = statusCode
      headers = given
    },
    onResponseData(_controller, chunk) {
      bytes += chunk.length
      if (bytes > bytesMax) end(new PoolError('too large'))
      else chunks.push(chunk)
    },
    onResponseEnd() {
      const [first] = chunks
      const whole = first && chunks.length === 1 ? first : Buffer.concat(chunks, bytes)
      resolve({ status, headers, text: whole.toString('utf8') })
    },
    onResponseError(_controller, error) {
      reject(error)
    },
  })
  return promise
}

function timedOut(): DOMException {
  return new DOMException('the subgraph did not answer in time', 'TimeoutError')
}

/** A kept connection that the other side had closed already: nothing was answered on it. */
function wasStale(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

function poolErrorOf(error: unknown): PoolError {
  if (error instanceof PoolError) return error
  const { code, name } = error as { code?: unknown; name?: unknown }
  const late = name === 'TimeoutError' || (typeof code === 'string' && code.endsWith('_TIMEOUT'))
  return new PoolError(late ? 'timeout' : 'unreachable', { cause: error })
}
