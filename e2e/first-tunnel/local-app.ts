import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { WebSocketServer } from 'ws'

/** The developer's service of this scenario: answers in every way a tunnel must carry. */
export async function startLocalApp(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(request, response)
  })
  const sockets = new WebSocketServer({ server, path: '/socket' })
  sockets.on('connection', (socket) => {
    socket.send('hello')
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://local')
  if (url.pathname === '/hello') {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('hello from the local app')
  } else if (url.pathname === '/echo') {
    const hash = createHash('sha256')
    response.writeHead(200, {
      'content-type': request.headers['content-type'] ?? 'application/octet-stream',
      trailer: 'x-digest',
    })
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk)
      if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve))
    }
    response.addTrailers({ 'x-digest': hash.digest('hex') })
    response.end()
  } else if (url.pathname === '/bytes') {
    response.end(patternOf(Number(url.searchParams.get('n'))))
  } else if (url.pathname === '/chunks') {
    for (let part = 0; part < 20; part += 1) response.write(`part ${part}\n`)
    response.end('end\n')
  } else if (url.pathname === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let event = 0; event < 5; event += 1) {
      response.write(`data: ${event}\n\n`)
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
  } else {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page')
  }
}

/** The same bytes for the same length on both sides. */
export function patternOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + (index >> 8)) & 0xff
  return bytes
}
