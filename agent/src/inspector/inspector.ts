import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { assets } from './assets.ts'
import { createExchangeStore, type Exchange, type ExchangeStore } from './exchange-store.ts'
import { reasonAgainst } from './guard-request.ts'
import { createReplayer, ReplayRefused, type InspectedTunnel, type ReplayEdits } from './replay.ts'
import { detailOf, summaryOf } from './shown-exchange.ts'

const portDefault = 4040
/** Several agents of one developer take one port after the other. */
const portsTried = 20
const requestBytesMax = 2 * 1024 * 1024
const followersMax = 16
/** Many changes in a moment reach the page as one message. */
const announceDelayMs = 50
/** A page that does not read misses changes, and reads the whole list when it can. */
const followerBytesMax = 1024 * 1024

export interface Inspector {
  readonly url: string
  readonly port: number
  /** What hears the exchanges of a tunnel. Naming it again changes where its replays go. */
  inspect(name: string, tunnel: InspectedTunnel): ReturnType<ExchangeStore['tap']>
  /** The tunnel is no more: what was captured stays readable, and nothing is sent to it. */
  forget(name: string): void
  close(): Promise<void>
}

interface InspectorOptions {
  /** This port and no other. */
  readonly port?: number | undefined
  readonly store?: ExchangeStore
}

/** Opens the inspector page on loopback. Throws when the port is taken, or all that were tried. */
export async function openInspector(options: InspectorOptions = {}): Promise<Inspector> {
  const { store = createExchangeStore() } = options
  const token = randomBytes(24).toString('base64url')
  const tunnels = new Map<string, InspectedTunnel>()
  const replayer = createReplayer(store, (name) => tunnels.get(name))
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  server.maxRequestsPerSocket = 1_000
  const port = await listen(server, options.port)
  const followers = createFollowers(store)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reason = reasonAgainst(request, { port, token })
    if (reason !== null) return send(response, 403, { error: reason })
    const { method = '', url = '' } = request
    const { pathname } = new URL(url, 'http://localhost')
    if (method === 'GET') return read(pathname, response)
    if (method === 'POST') return change(pathname, request, response)
    return send(response, 405, { error: 'Only GET and POST are understood.' })
  }

  function read(pathname: string, response: ServerResponse): void {
    switch (pathname) {
      case '/':
        return sendText(response, 'text/html', assets.html.replace('{{token}}', token))
      case '/page.css':
        return sendText(response, 'text/css', assets.css)
      case '/page.js':
        return sendText(response, 'text/javascript', assets.js)
      case '/api/exchanges':
        return send(response, 200, { exchanges: store.list().map(summaryOf) })
      case '/api/events':
        return followers.add(response)
      default: {
        const exchange = store.find(/^\/api\/exchanges\/(\d+)$/.exec(pathname)?.[1] ?? '')
        if (exchange) return send(response, 200, detailOf(exchange))
        return send(response, 404, { error: 'There is no such thing, or it was dropped.' })
      }
    }
  }

  async function change(
    pathname: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (pathname === '/api/clear') {
      store.clear()
      return send(response, 200, {})
    }
    const exchange = store.find(/^\/api\/exchanges\/(\d+)\/replay$/.exec(pathname)?.[1] ?? '')
    if (!exchange) return send(response, 404, { error: 'The request was dropped.' })
    const edits = parseEdits(await readBody(request))
    if (!edits) return send(response, 400, { error: 'The edits are not valid.' })
    try {
      return send(response, 201, { id: await replayer.replay(exchange, edits) })
    } catch (error) {
      if (!(error instanceof ReplayRefused)) throw error
      return send(response, 409, { error: error.message })
    }
  }

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    inspect(name, tunnel) {
      tunnels.set(name, tunnel)
      return store.tap(name)
    },
    forget: (name) => void tunnels.delete(name),
    async close() {
      followers.close()
      replayer.close()
      server.closeAllConnections()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}

async function listen(server: ReturnType<typeof createServer>, port?: number): Promise<number> {
  const candidates =
    port === undefined ? Array.from({ length: portsTried }, (_, at) => portDefault + at) : [port]
  let failure: unknown
  for (const candidate of candidates) {
    server.listen(candidate, '127.0.0.1')
    try {
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Pages that are told of changes, by server-sent events. */
function createFollowers(store: ExchangeStore) {
  const followers = new Set<ServerResponse>()
  const changed = new Map<string, Exchange>()
  let timer: NodeJS.Timeout | undefined

  function announce(): void {
    timer = undefined
    const text = `data: ${JSON.stringify([...changed.values()].map(summaryOf))}\n\n`
    changed.clear()
    for (const follower of followers) {
      if (follower.writableLength > followerBytesMax) follower.destroy()
      else follower.write(text)
    }
  }

  const stop = store.onChange((exchange) => {
    if (followers.size === 0) return
    changed.set(exchange.id, exchange)
    timer ??= setTimeout(announce, announceDelayMs)
  })

  return {
    add(response: ServerResponse): void {
      if (followers.size >= followersMax) {
        return send(response, 429, { error: `${followersMax} pages are open already.` })
      }
      response.writeHead(200, { ...headersOf('text/event-stream'), 'x-accel-buffering': 'no' })
      response.write('retry: 1000\n\n')
      followers.add(response)
      response.once('close', () => followers.delete(response))
    },
    close() {
      stop()
      clearTimeout(timer)
      for (const follower of followers) follower.destroy()
    },
  }
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

function headersOf(type: string): Record<string, string> {
  return {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  }
}

function sendText(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, headersOf(type)).end(text)
}

function send(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, headersOf('application/json')).end(JSON.stringify(value))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > requestBytesMax) throw new Error(`the body is larger than ${requestBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** What the page sends, as typed; undefined when it is something else. */
function parseEdits(text: string): ReplayEdits | undefined {
  let value: unknown
  try {
    value = JSON.parse(text === '' ? '{}' : text)
  } catch {
    // Not JSON is not valid, like JSON of another form.
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { method, path, headers, body } = value as Record<string, unknown>
  const isText = (each: unknown) => each === undefined || typeof each === 'string'
  if (!isText(method) || !isText(path) || !isText(body)) return undefined
  if (headers !== undefined && !isFields(headers)) return undefined
  return value
}

function isFields(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((pair: unknown) => {
      if (!Array.isArray(pair) || pair.length !== 2) return false
      return pair.every((part) => typeof part === 'string')
    })
  )
}
