import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'

import { lookup } from './localhost.ts'
import { createProxyAgent, type ProxyOf } from './proxy.ts'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface HttpRequestOptions {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** From the first byte sent to the last one read. */
  readonly timeoutMs: number
  readonly answerBytesMax: number
  readonly ca?: string | undefined
  readonly allowSelfSigned?: boolean
  readonly proxyOf?: ProxyOf | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * One small HTTP request. Not `fetch`, which takes half the start-up time of the program and
 * cannot reach `name.localhost` while it keeps that name in `Host`.
 */
export function requestText(url: URL, options: HttpRequestOptions): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const proxy = options.proxyOf?.(url) ?? null
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: options.method ?? 'GET',
      headers: options.headers,
      lookup,
      agent: proxy ? createProxyAgent(proxy, url, options) : false,
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.allowSelfSigned ? { rejectUnauthorized: false } : {}),
    })
    const fail = (error: Error) => {
      request.destroy()
      reject(timeout.aborted ? new HttpTimeout(options.timeoutMs, { cause: error }) : error)
    }
    request.once('error', fail)
    request.once('response', (response) => {
      readText(response, options.answerBytesMax).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        fail,
      )
    })
    request.end(options.body)
  })
}

/** The peer took longer than it may. */
class HttpTimeout extends Error {
  override readonly name = 'HttpTimeout'

  constructor(timeoutMs: number, options?: ErrorOptions) {
    super(`no answer within ${timeoutMs / 1000} s`, options)
  }
}

async function readText(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new Error(`the answer is larger than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no network',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve at the moment',
  ETIMEDOUT: 'the connection timed out',
  EPROTO: 'it does not speak TLS',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is from an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

/** Why a connection failed, in words. */
export function networkReasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Happy eyeballs reports one error per address that was tried: the first says enough.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const code = first instanceof Error && 'code' in first ? String(first.code) : ''
  const message = first instanceof Error ? first.message : error.message
  return reasons[code] ?? (message || code || error.name)
}
