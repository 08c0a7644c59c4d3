import { connect } from 'node:net'

/** Sends GraphQL over kept-alive connections, each its next request when the answer before is whole. */
export interface GraphLoad {
  readonly port: number
  /** Request bodies, taken in turn. */
  readonly bodies: readonly string[]
  readonly connections: number
  readonly durationMs: number
}

export interface GraphLoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

process.on('message', (load: GraphLoad) => {
  void run(load).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

async function run({ port, bodies, connections, durationMs }: GraphLoad): Promise<GraphLoadResult> {
  const requests = bodies.map((body) =>
    Buffer.from(
      `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
        `Accept: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  )
  const samples: number[] = []
  let next = 0
  const startedAt = performance.now()
  const until = startedAt + durationMs
  await Promise.all(
    Array.from({ length: connections }, () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      let sentAt = 0
      const send = (): void => {
        sentAt = performance.now()
        socket.write(requests[next % requests.length] ?? Buffer.alloc(0))
        next += 1
      }
      const answer = new Answer(() => {
        const now = performance.now()
        samples.push(now - sentAt)
        if (now < until) return send()
        socket.end()
        resolve()
      })
      socket.on('connect', send)
      socket.on('data', (chunk) => {
        const fault = answer.read(chunk)
        if (fault) reject(new Error(fault))
      })
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('the connection was closed')))
      return promise
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const sorted = samples.toSorted((one, other) => one - other)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
  return { requests: samples.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

const chunkedEnd = Buffer.from('0\r\n\r\n')

/** Finds where an answer ends, by its length or its last chunk, and checks that it is one. */
class Answer {
  readonly #onWhole: () => void
  #head = ''
  /** Bytes of the body still to come; -1: until the last chunk. */
  #missing = 0
  #tail: Buffer = Buffer.alloc(0)

  constructor(onWhole: () => void) {
    this.#onWhole = onWhole
  }

  read(chunk: Buffer): string | undefined {
    let body = chunk
    if (this.#missing === 0) {
      this.#head += chunk.toString('latin1')
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) return undefined
      body = Buffer.from(this.#head.slice(end + 4), 'latin1')
      const head = this.#head.slice(0, end).toLowerCase()
      this.#head = ''
      if (!head.startsWith('http/1.1 200')) return `${head}\n${body.toString('utf8', 0, 500)}`
      const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
      this.#missing = length === undefined ? -1 : Number(length)
      this.#tail = Buffer.alloc(0)
    }
    if (this.#missing > 0) {
      this.#missing -= body.length
      if (this.#missing < 0) return 'more came than was announced'
      if (this.#missing === 0) this.#onWhole()
      return undefined
    }
    this.#tail = Buffer.concat([this.#tail, body]).subarray(-chunkedEnd.length)
    if (!this.#tail.equals(chunkedEnd)) return undefined
    this.#missing = 0
    this.#onWhole()
    return undefined
  }
}
