import type { ServerResponse } from 'node:http'

import type { Limits } from './limits.ts'
import type { LiveSubscription } from './live-subscription.ts'

/** Sends a subscription as server-sent events (graphql-sse, distinct connections). Waits for a client that reads slowly. */
export async function sendEvents(
  response: ServerResponse,
  live: LiveSubscription,
  limits: Limits,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
  })
  response.write(':\n\n')
  const gone = () => live.end('left', null)
  response.once('close', gone)
  // Says that the stream is alive, and finds out that the client is not.
  const pulse = setInterval(() => response.write(':\n\n'), limits.pingMs)
  try {
    while (await live.readable()) {
      for (let result = live.take(); result !== null; result = live.take()) {
        if (response.destroyed) return
        if (!response.write(`event: next\ndata: ${result}\n\n`)) await drained(response)
      }
    }
    response.end('event: complete\ndata:\n\n')
  } finally {
    clearInterval(pulse)
    response.off('close', gone)
    live.end('left', null)
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
  })
}
