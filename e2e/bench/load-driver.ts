import { connect, createServer, type Socket } from 'node:net'

/** What the driver is told to do. One message in, one result out. */
export type Load =
  | {
      readonly kind: 'requests'
      readonly port: number
      readonly host: string
      readonly path: string
      readonly connections: number
      readonly durationMs: number
    }
  | {
      readonly kind: 'download'
      readonly port: number
      readonly host: string
      readonly path: string
      /** So many at once, each on a connection of its own. */
      readonly streams?: number
    }
  | {
      readonly kind: 'upload'
      readonly port: number
      readonly host: string
      readonly path: string
      /** Of each stream. */
      readonly bytes: number
      readonly streams?: number
    }
  | {
      readonly kind: 'messages'
      readonly port: number
      readonly host: string
      readonly path: string
      readonly connections: number
      readonly durationMs: number
    }
  | { readonly kind: 'sink' }

export interface LoadResult {
  readonly requests: number
  readonly bytes: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of a sink: where it listens. */
  readonly port: number
}

const nothing: LoadResult = { requests: 0, bytes: 0, seconds: 0, p50Ms: 0, p99Ms: 0, port: 0 }
const samplesMax = 4_000_000
/** Of one WebSocket message: its length fits one byte. */
const messageBytes = 100

process.on('message', (load: Load) => {
  void run(load).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

function run(load: Load): Promise<LoadResult> {
  if (load.kind === 'requests') return requests(load)
  if (load.kind === 'messages') return messages(load)
  if (load.kind === 'download') return together(load.streams, () => download(load))
  return load.kind === 'upload' ? together(load.streams, () => upload(load)) : sink()
}

/** Several transfers at once, as one: all their bytes in the time until the last is whole. */
async function together(streams = 1, transfer: () => Promise<LoadResult>): Promise<LoadResult> {
  const startedAt = performance.now()
  const results = await Promise.all(Array.from({ length: streams }, transfer))
  const bytes = results.reduce((sum, one) => sum + one.bytes, 0)
  return { ...nothing, bytes, seconds: (performance.now() - startedAt) / 1000 }
}

/** Closed loop: each connection sends its next request when the response before is whole. */
async function requests({
  port,
  host,
  path,
  connections,
  durationMs,
}: Extract<Load, { kind: 'requests' }>) {
  const request = Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`,
  )
  const responseBytes = await measureResponse(port, request)
  const samples = new Float64Array(samplesMax)
  let count = 0
  const startedAt = performance.now()
  const until = startedAt + durationMs
  await Promise.all(
    Array.from({ length: connections }, () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      let sentAt = 0
      let missing = responseBytes
      const socket = connect({
        port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer: Buffer.alloc(65_536),
          callback(bytes) {
            missing -= bytes
            if (missing > 0) return true
            if (missing < 0) reject(new Error('a response of another length'))
            const now = performance.now()
            if (count < samplesMax) samples[count] = now - sentAt
            count += 1
            missing = responseBytes
            if (now >= until) {
              socket.end()
              resolve()
            } else {
              sentAt = now
              socket.write(request)
            }
            return true
          },
        },
      })
      socket.on('connect', () => {
        sentAt = performance.now()
        socket.write(request)
      })
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('the connection was closed')))
      return promise
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const sorted = samples.subarray(0, Math.min(count, samplesMax)).toSorted()
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
  return { ...nothing, requests: count, seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** WebSockets to an echo: each sends its next message when the one before is back. */
async function messages({
  port,
  host,
  path,
  connections,
  durationMs,
}: Extract<Load, { kind: 'messages' }>) {
  const payload = Buffer.alloc(messageBytes, 'm')
  // Masked with the key zero, as a client's messages have to be masked.
  const message = Buffer.concat([Buffer.from([0x82, 0x80 | messageBytes, 0, 0, 0, 0]), payload])
  const echoBytes = 2 + messageBytes
  const samples = new Float64Array(samplesMax)
  let count = 0
  const sockets = await Promise.all(
    Array.from({ length: connections }, () => upgraded(port, host, path)),
  )
  const startedAt = performance.now()
  const until = startedAt + durationMs
  await Promise.all(
    sockets.map((socket) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      let missing = echoBytes
      let sentAt = performance.now()
      socket.on('data', (chunk) => {
        missing -= chunk.length
        if (missing > 0) return
        if (missing < 0) return reject(new Error('more came back than was sent'))
        const now = performance.now()
        if (count < samplesMax) samples[count] = now - sentAt
        count += 1
        missing = echoBytes
        if (now >= until) {
          socket.destroy()
          return resolve()
        }
        sentAt = now
        socket.write(message)
      })
      socket.on('error', reject)
      socket.write(message)
      return promise
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const sorted = samples.subarray(0, Math.min(count, samplesMax)).toSorted()
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
  return { ...nothing, requests: count, seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** A socket behind a finished WebSocket handshake. */
function upgraded(port: number, host: string, path: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  let head = ''
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1')
    if (!head.includes('\r\n\r\n')) return
    socket.off('data', onData).off('error', reject)
    if (head.startsWith('HTTP/1.1 101')) resolve(socket)
    else reject(new Error(`the upgrade was answered: ${head.slice(0, 300)}`))
  }
  socket.on('data', onData).on('error', reject)
  return promise
}

/** The length of the whole response, so that the loop need not parse. */
function measureResponse(port: number, request: Buffer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const socket = connect({ port, host: '127.0.0.1' })
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    const headEnd = text.indexOf('\r\n\r\n')
    const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
    if (headEnd < 0) return
    if (!text.startsWith('HTTP/1.1 200') || length === undefined)
      reject(new Error(text.slice(0, 200)))
    else if (text.length >= headEnd + 4 + Number(length)) resolve(headEnd + 4 + Number(length))
  })
  socket.on('error', reject)
  socket.write(request)
  return promise.finally(() => socket.destroy())
}

async function download({ port, host, path }: Extract<Load, { kind: 'download' }>) {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let bytes = 0
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(262_144),
      callback(received) {
        bytes += received
        return true
      },
    },
  })
  const startedAt = performance.now()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  socket.on('error', reject)
  socket.on('end', () => resolve(performance.now() - startedAt))
  const ms = await promise
  return { ...nothing, bytes, seconds: ms / 1000 }
}

async function upload({ port, host, path, bytes }: Extract<Load, { kind: 'upload' }>) {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const socket = connect({ port, host: '127.0.0.1' })
  const chunk = Buffer.alloc(65_536, 'u')
  let sent = 0
  const startedAt = performance.now()
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`,
  )
  const pump = (): void => {
    while (sent < bytes) {
      const next = chunk.subarray(0, Math.min(chunk.length, bytes - sent))
      sent += next.length
      if (!socket.write(next)) {
        socket.once('drain', pump)
        return
      }
    }
  }
  let answer = ''
  socket.on('data', (data: Buffer) => {
    answer += data.toString('latin1')
  })
  socket.on('error', reject)
  socket.on('end', () => {
    if (answer.startsWith('HTTP/1.1 200') && answer.endsWith(`${bytes}`))
      resolve(performance.now() - startedAt)
    else reject(new Error(`the upload was answered: ${answer.slice(0, 300)}`))
    socket.end()
  })
  pump()
  const ms = await promise
  return { ...nothing, bytes, seconds: ms / 1000 }
}

/** Takes bodies of a known length and says how long they were, once they are whole. */
function sink(): Promise<LoadResult> {
  const { promise, resolve } = Promise.withResolvers<LoadResult>()
  const server = createServer((socket: Socket) => {
    let head = ''
    let missing = -1
    let total = 0
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      let body = chunk.length
      if (missing < 0) {
        head += chunk.toString('latin1')
        const headEnd = head.indexOf('\r\n\r\n')
        if (headEnd < 0) return
        total = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
        missing = total
        body = head.length - headEnd - 4
      }
      missing -= body
      if (missing > 0) return
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${String(total).length}\r\n\r\n${total}`)
      if (/\r\nconnection: close/i.test(head)) socket.end()
      head = ''
      missing = -1
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    resolve({ ...nothing, port: typeof address === 'object' && address ? address.port : 0 })
  })
  return promise
}
