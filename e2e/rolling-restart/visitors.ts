import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const socketsMax = 64
const answerMsMax = 15_000

export interface Lost {
  readonly path: string
  readonly reason: string
}

/** Visitors who ask at a steady rate and never a second time: what is lost is seen. */
export class Visitors {
  readonly lost: Lost[] = []
  answered = 0
  readonly #port: number
  readonly #host: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: socketsMax, scheduling: 'fifo' })
  readonly #stopped = new AbortController()
  readonly #running: Promise<void>
  readonly #asked: Promise<void>[] = []

  constructor(port: number, host: string, perSecond: number) {
    this.#port = port
    this.#host = host
    this.#running = this.#run(perSecond)
  }

  /** How many were asked in all, once the last has been answered. */
  async stop(): Promise<number> {
    this.#stopped.abort()
    await this.#running
    await Promise.all(this.#asked)
    this.#agent.destroy()
    return this.#asked.length
  }

  /** Follows the clock: a late turn is made up for. */
  async #run(perSecond: number): Promise<void> {
    const startedMs = performance.now()
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const due = ((performance.now() - startedMs) * perSecond) / 1_000
      while (this.#asked.length < due) this.#asked.push(this.#ask(this.#asked.length))
      await sleep(10, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Each tenth request has a body. */
  #ask(number: number): Promise<void> {
    const path = `/${number}`
    const body = number % 10 === 0 ? `body of ${number} `.repeat(500) : ''
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = (reason?: string): void => {
      if (reason === undefined) this.answered += 1
      else this.lost.push({ path, reason })
      resolve()
    }
    const asking = request({
      port: this.#port,
      host: '127.0.0.1',
      agent: this.#agent,
      path,
      method: body === '' ? 'GET' : 'POST',
      headers: { host: this.#host, ...(body === '' ? {} : { 'content-length': body.length }) },
      timeout: answerMsMax,
    })
    asking.once('timeout', () => asking.destroy(new Error('no answer in time')))
    asking.once('error', (error) => end(String(error)))
    asking.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.once('error', (error) => end(String(error)))
      response.once('end', () => {
        const right = response.statusCode === 200 && text === `${path} ${body.length}`
        const code = String(response.headers['sluice-error'])
        end(right ? undefined : `${response.statusCode} ${code} ${text.slice(0, 100)}`)
      })
    })
    asking.end(body)
    return promise
  }
}
