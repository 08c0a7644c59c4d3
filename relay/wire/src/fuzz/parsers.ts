import { createServer, request, type IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'

import { ChunkedDecoder } from '../http/chunked.ts'
import { requestBody, requestFault, responseBody } from '../http/framing.ts'
import { HeadScanner, incomplete, malformed } from '../http/scan-head.ts'

/** What a parser made of one message. */
interface Understood {
  readonly start: string
  readonly fields: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
}

export interface Reading {
  messages: Understood[]
  /** What comes after the messages is refused, or not whole. */
  broken: boolean
  /** Where the last message ends. */
  bytes: number
}

/** Bytes that arrive piece by piece, and then perhaps end; whatever is written to it is lost. */
class Feed extends Duplex {
  constructor(pieces: readonly Buffer[], ends: boolean) {
    super({ allowHalfOpen: true })
    for (const piece of pieces) this.push(piece)
    if (ends) this.push(null)
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done()
  }

  // What http asks of a socket
  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }
}

/** A parser that has not come to an end by then waits for more. */
const turnsMax = 50

async function bodyOf(message: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of message) pieces.push(piece)
  } catch {
    return undefined // Cut off: for both parsers that is no message.
  }
  return message.complete ? Buffer.concat(pieces).toString('latin1') : undefined
}

/** Node's server on a connection without a socket. */
export class NodeServer {
  readonly #server = createServer({ maxHeaderSize: 100_000, keepAliveTimeout: 0 })

  close(): void {
    this.#server.close()
  }

  /** `messages`: how many are waited for. */
  async read(pieces: readonly Buffer[], messages: number): Promise<Reading> {
    const reading: Reading = { messages: [], broken: false, bytes: bytesIn(pieces) }
    const feed = new Feed(pieces, false)
    const whole: (Understood | undefined)[] = []
    let over = 0
    this.#server.removeAllListeners('request').removeAllListeners('clientError')
    this.#server.on('clientError', (_error, socket) => {
      reading.broken = true
      socket.destroy()
    })
    this.#server.on('request', (message: IncomingMessage, response) => {
      const at = whole.push(undefined) - 1
      void bodyOf(message).then((body) => {
        const start = `${message.method} ${message.url} ${message.httpVersionMinor}`
        if (body === undefined) reading.broken = true
        else whole[at] = understood(start, message, body)
        over += 1
        response.end()
      })
    })
    const closed = new Promise((resolve) => feed.once('close', resolve))
    this.#server.emit('connection', feed)
    for (let turns = 0; turns < turnsMax && !feed.destroyed; turns += 1) {
      if (over >= messages) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    feed.destroy()
    await closed
    reading.messages = whole.filter((one) => one !== undefined)
    return reading
  }
}

/** Node's client, answered with these bytes. */
export async function nodeClient(pieces: readonly Buffer[]): Promise<Reading> {
  const reading: Reading = { messages: [], broken: false, bytes: bytesIn(pieces) }
  const feed = new Feed(pieces, true)
  const asked = request({
    createConnection: () => feed,
    host: 'a',
    maxHeaderSize: 100_000,
  })
  const answered = Promise.withResolvers<void>()
  asked.on('information', (given) => {
    reading.messages.push({
      start: `${given.statusCode} ${given.httpVersionMinor}`,
      fields: given.rawHeaders,
      body: '',
      trailers: [],
    })
  })
  asked.on('response', (message: IncomingMessage) => {
    void bodyOf(message).then((body) => {
      if (body === undefined) reading.broken = true
      else
        reading.messages.push(
          understood(`${message.statusCode} ${message.httpVersionMinor}`, message, body),
        )
      answered.resolve()
    })
  })
  asked.on('error', () => {
    reading.broken = true
    answered.resolve()
  })
  asked.end()
  await answered.promise
  asked.destroy()
  return reading
}

function understood(start: string, message: IncomingMessage, body: string): Understood {
  return { start, fields: message.rawHeaders, body, trailers: message.rawTrailers }
}

/** Our parts, put together as relay and agent put them together. */
class Ours {
  readonly #scanner = new HeadScanner()
  readonly #pieces: Buffer[]
  #pending = Buffer.alloc(0)

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = [...pieces]
  }

  get scanner(): HeadScanner {
    return this.#scanner
  }

  /** What no message has taken yet. */
  get left(): number {
    return this.#pending.length + bytesIn(this.#pieces)
  }

  /** The bytes of a head; undefined: there is none. */
  head(scan: (buffer: Buffer) => number): Buffer | undefined {
    for (;;) {
      const end = this.#pending.length > 0 ? scan(this.#pending) : incomplete
      if (end === malformed) return undefined
      if (end !== incomplete) {
        const head = this.#pending.subarray(0, end)
        this.#pending = this.#pending.subarray(end)
        return head
      }
      const more = this.#pieces.shift()
      if (!more) return undefined
      this.#pending = Buffer.concat([this.#pending, more])
    }
  }

  length(bytes: number): string | undefined {
    while (this.#pending.length < bytes) {
      const more = this.#pieces.shift()
      if (!more) return undefined
      this.#pending = Buffer.concat([this.#pending, more])
    }
    const body = this.#pending.toString('latin1', 0, bytes)
    this.#pending = this.#pending.subarray(bytes)
    return body
  }

  rest(): string {
    const rest = Buffer.concat([this.#pending, ...this.#pieces.splice(0)])
    this.#pending = Buffer.alloc(0)
    return rest.toString('latin1')
  }

  chunked(): { body: string; trailers: string[] } | undefined {
    const decoder = new ChunkedDecoder(this.#scanner)
    let body = ''
    while (!decoder.done) {
      if (this.#pending.length === 0) {
        const more = this.#pieces.shift()
        if (!more) return undefined
        this.#pending = more as Buffer<ArrayBuffer>
      }
      const after = decoder.decode(this.#pending, 0, this.#pending.length, (buffer, start, end) => {
        body += buffer.toString('latin1', start, end)
      })
      if (after === malformed) return undefined
      this.#pending = this.#pending.subarray(after)
    }
    const section = Buffer.concat([decoder.trailers, Buffer.from('\r\n')])
    this.#scanner.scanFields(section, 0, section.length)
    return { body, trailers: fieldsOf(this.#scanner, section) }
  }
}

export function ourServer(pieces: readonly Buffer[]): Reading {
  const ours = new Ours(pieces)
  const { scanner } = ours
  const reading: Reading = { messages: [], broken: false, bytes: 0 }
  while (ours.left > 0) {
    const head = ours.head((buffer) => scanner.scanRequest(buffer, 0, buffer.length))
    if (!head || requestFault(scanner, head, 0) !== undefined) break
    const target = head.toString('latin1', scanner.targetStart, scanner.targetEnd)
    const start = `${head.toString('latin1', 0, scanner.methodEnd)} ${target} ${scanner.minorVersion}`
    const fields = fieldsOf(scanner, head)
    const last = scanner.minorVersion === 0 || scanner.connectionClose
    const kind = requestBody(scanner)
    const length = kind === 'length' ? scanner.contentLength : 0
    const body = kind === 'chunked' ? ours.chunked() : { body: ours.length(length), trailers: [] }
    if (body?.body === undefined) break
    reading.messages.push({ start, fields, body: body.body, trailers: body.trailers })
    reading.bytes = bytesIn(pieces) - ours.left
    if (last) return reading
  }
  reading.broken = ours.left > 0
  return reading
}

export function ourClient(pieces: readonly Buffer[]): Reading {
  const ours = new Ours(pieces)
  const { scanner } = ours
  const reading: Reading = { messages: [], broken: true, bytes: 0 }
  for (;;) {
    const head = ours.head((buffer) => scanner.scanResponse(buffer, 0, buffer.length))
    if (!head) return reading
    const start = `${scanner.status} ${scanner.minorVersion}`
    const fields = fieldsOf(scanner, head)
    const framing = responseBody(scanner, false)
    if (framing.fault !== undefined || scanner.status === 101) return reading
    const interim = scanner.status < 200
    const body =
      framing.kind === 'chunked'
        ? ours.chunked()
        : {
            body:
              framing.kind === 'close'
                ? ours.rest()
                : ours.length(framing.kind === 'length' ? scanner.contentLength : 0),
            trailers: [],
          }
    if (body?.body === undefined) return reading
    reading.messages.push({ start, fields, body: body.body, trailers: body.trailers })
    reading.bytes = bytesIn(pieces) - ours.left
    if (interim) continue
    reading.broken = false
    return reading
  }
}

function fieldsOf(scanner: HeadScanner, head: Buffer): string[] {
  return Array.from({ length: scanner.count }, (_, index) => [
    scanner.nameOf(head, index),
    scanner.valueOf(head, index),
  ]).flat()
}

function bytesIn(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0)
}
