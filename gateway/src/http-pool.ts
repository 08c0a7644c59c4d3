import type { IncomingHttpHeaders } from 'node:http'

import { Pool } from 'undici'

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
      signal?: AbortSignal
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

  async function exchange(
    request: {
      method: 'GET' | 'POST'
      path: string
      body?: string
      headers?: Record<string, string>
    },
    signal: AbortSignal,
  ): Promise<Answer> {
    const { statusCode, headers, body } = await pool.request({ ...request, signal })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > limits.bytesMax) throw new PoolError('too large')
      chunks.push(chunk)
    }
    return { status: statusCode, headers, text: Buffer.concat(chunks).toString('utf8') }
  }

  async function send(
    request: Parameters<typeof exchange>[0],
    options: { signal?: AbortSignal; repeatable: boolean },
  ): Promise<Answer> {
    const stop = new AbortController()
    const deadline = setTimeout(() => stop.abort(timedOut()), limits.timeoutMs)
    const leave = () => stop.abort(options.signal?.reason)
    if (options.signal?.aborted) leave()
    options.signal?.addEventListener('abort', leave, { once: true })
    try {
      return await exchange(request, stop.signal)
    } catch (error) {
      if (options.repeatable && !stop.signal.aborted && wasStale(error)) {
        return await exchange(request, stop.signal).catch((again: unknown) => {
          throw poolErrorOf(again)
        })
      }
      throw poolErrorOf(error)
    } finally {
      clearTimeout(deadline)
      options.signal?.removeEventListener('abort', leave)
    }
  }

  return {
    post: (path, body, { headers, ...options }) =>
      send({ method: 'POST', path, body, headers }, options),
    get: (path) => send({ method: 'GET', path }, { repeatable: true }),
    close: () => pool.destroy(),
  }
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
