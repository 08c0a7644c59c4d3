import { createHash } from 'node:crypto'
import { request, type IncomingHttpHeaders } from 'node:http'

import { WebSocket } from 'ws'

import { patternOf } from './local-app.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  trailers: NodeJS.Dict<string>
  body: Buffer
}

/** A visitor of one tunnel: requests go to the relay on loopback with the tunnel's host. */
export function createVisitor(tunnelUrl: string) {
  const { host, port } = new URL(tunnelUrl)

  /** Sends one request. A body given in parts goes out chunked. */
  function visit(
    path: string,
    options: { method?: string; body?: Buffer | Buffer[] } = {},
  ): Promise<Answer> {
    const parts = Array.isArray(options.body) ? options.body : null
    const whole = Array.isArray(options.body) ? null : (options.body ?? null)
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port,
          path,
          method: options.method ?? (options.body ? 'POST' : 'GET'),
          headers: { host, ...(whole ? { 'content-length': whole.length } : {}) },
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () => {
            const { statusCode = 0, headers, trailers } = incoming
            resolve({ status: statusCode, headers, trailers, body: Buffer.concat(chunks) })
          })
        },
      )
      outgoing.on('error', reject)
      for (const part of parts ?? []) outgoing.write(part)
      outgoing.end(whole ?? undefined)
    })
  }

  /** Sends messages over one WebSocket and returns the greeting and the echoes. */
  function talk(messages: (string | Buffer)[]): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: { host } })
      const received: Buffer[] = []
      socket.on('open', () => {
        for (const message of messages) socket.send(message)
      })
      socket.on('message', (data: Buffer) => {
        received.push(data)
        if (received.length === messages.length + 1) socket.close(1000)
      })
      socket.on('close', () => resolve(received))
      socket.on('error', reject)
    })
  }

  return { visit, talk }
}

export type Visitor = ReturnType<typeof createVisitor>

const mebibyte = patternOf(1024 * 1024)
const digestOf = (body: Buffer) => createHash('sha256').update(body).digest('hex')

/** One request of a kind; throws when a byte is not what it must be. */
const kinds: ((visitor: Visitor) => Promise<void>)[] = [
  async ({ visit }) => expectBody(await visit('/hello'), Buffer.from('hello from the local app')),
  async ({ visit }) => {
    const answer = await visit('/echo', { body: mebibyte })
    expectBody(answer, mebibyte)
    if (answer.trailers['x-digest'] !== digestOf(mebibyte))
      throw new Error('the trailer is not the digest')
  },
  async ({ visit }) => {
    const parts = [patternOf(1), patternOf(70_000), patternOf(3)]
    expectBody(await visit('/echo', { body: parts }), Buffer.concat(parts))
  },
  async ({ visit }) => {
    const lines = Array.from({ length: 20 }, (_, part) => `part ${part}\n`).join('')
    expectBody(await visit('/chunks'), Buffer.from(`${lines}end\n`))
  },
  async ({ visit }) => {
    const events = [0, 1, 2, 3, 4].map((event) => `data: ${event}\n\n`).join('')
    expectBody(await visit('/events'), Buffer.from(events))
  },
  async ({ visit }) => {
    const answer = await visit('/bytes?n=100000', { method: 'HEAD' })
    if (answer.body.length > 0 || answer.status !== 200) throw new Error('HEAD had a body')
  },
  async ({ visit }) => expectBody(await visit('/bytes?n=200001'), patternOf(200_001)),
  async ({ visit }) => {
    const answer = await visit('/missing')
    if (answer.status !== 404 || answer.headers['sluice-error'])
      throw new Error('not the local 404')
  },
  async ({ talk }) => {
    const messages = ['text', patternOf(70_000), '']
    const [greeting, ...echoes] = await talk(messages)
    if (greeting?.toString() !== 'hello') throw new Error('the first frame was lost')
    if (!echoes.every((echo, index) => echo.equals(Buffer.from(messages[index] ?? '')))) {
      throw new Error('an echo differs')
    }
  },
]

/** Makes `count` requests of all kinds, ten at a time. Returns how many arrived byte-exact; the first failure throws. */
export async function visitOften(visitor: Visitor, count: number): Promise<number> {
  let next = 0
  let good = 0
  const lane = async () => {
    while (next < count) {
      const kind = kinds[next % kinds.length]
      next += 1
      await kind?.(visitor)
      good += 1
    }
  }
  await Promise.all(Array.from({ length: 10 }, lane))
  return good
}

function expectBody(answer: Answer, body: Buffer): void {
  if (answer.status !== 200)
    throw new Error(`status ${answer.status}: ${answer.body.toString().slice(0, 500)}`)
  if (!answer.body.equals(body)) {
    throw new Error(`${answer.body.length} bytes that differ from the ${body.length} expected`)
  }
}
