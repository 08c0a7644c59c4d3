import { createServer, type IncomingHttpHeaders } from 'node:http'

import { listen } from '@sluice/kit/metrics'

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Whoever takes webhooks. `answer` decides what it says: a status, or nothing until it is let go. */
export async function openReceiver() {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  const options: { answer: (path: string) => number | 'silence' } = { answer: () => 204 }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      received.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString() })
      const status = options.answer(path)
      const reply = (code: number) => {
        response.statusCode = code
        response.end(code === 204 ? undefined : `status ${code}`)
      }
      if (status === 'silence') waiting.add(() => reply(204))
      else reply(status)
    })
  })
  const listening = await listen(server, 0)
  return {
    received,
    url: `http://127.0.0.1:${listening.port}`,
    answerWith: (answer: (path: string) => number | 'silence') => void (options.answer = answer),
    letGo: () => {
      for (const reply of waiting) reply()
      waiting.clear()
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await listening.close()
    },
  }
}
