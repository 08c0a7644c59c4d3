import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export interface LoopOptions {
  readonly url: string
  /** Sent as Host, where the address is not the name. */
  readonly host?: string | undefined
  readonly connections: number
  readonly seconds: number
}

export interface LoopResult {
  readonly requests: number
  /** Without a response, with one cut short, or with a status of 4xx or 5xx. */
  readonly failed: number
  readonly rps: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const requestTimeoutMs = 30_000

/** So many visitors, each of which asks again as soon as it has its response. */
export async function closedLoop({
  url,
  host,
  connections,
  seconds,
}: LoopOptions): Promise<LoopResult> {
  const target = new URL(url)
  const isTls = target.protocol === 'https:'
  const settings = { keepAlive: true, maxSockets: connections }
  const agent = isTls ? new HttpsAgent(settings) : new HttpAgent(settings)
  const ask = isTls ? httpsRequest : httpRequest
  const latencies: number[] = []
  let failed = 0
  const once = (): Promise<boolean> =>
    new Promise((resolve) => {
      const asked = ask(
        target,
        { agent, timeout: requestTimeoutMs, ...(host ? { headers: { host } } : {}) },
        (response) => {
          response.resume()
          response.on('end', () => resolve((response.statusCode ?? 500) < 400))
          response.on('error', () => resolve(false))
        },
      )
      asked.on('timeout', () => asked.destroy())
      asked.on('error', () => resolve(false))
      asked.end()
    })
  const startedMs = performance.now()
  const untilMs = startedMs + seconds * 1_000
  const visitor = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const sentMs = performance.now()
      if (await once()) latencies.push(performance.now() - sentMs)
      else failed += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, visitor))
  agent.destroy()
  const sorted = Float64Array.from(latencies).toSorted()
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
  return {
    requests: latencies.length + failed,
    failed,
    rps: latencies.length / ((performance.now() - startedMs) / 1_000),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}
