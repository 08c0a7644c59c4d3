import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { buildSubgraphSchema } from '@apollo/subgraph'
import { BoundedQueue } from '@sluice/kit/bounded-queue'
import { silentLog } from '@sluice/kit/log'
import { serveSubgraphSockets } from '@sluice/kit/subgraph-sockets'
import { execute, parse, subscribe, type ExecutionArgs } from 'graphql'

import { liveSdl } from './live-graph.ts'

/** The subgraphs of the live benchmark in one process: tells on command what happened, and counts what it is asked. */
const queues = new Set<BoundedQueue<unknown>>()
let entityCalls = 0
const queuedMax = 100_000

const reference = (fields: Record<string, unknown>) => ({
  __resolveReference: ({ id }: { id: string }) => ({ id, ...fields }),
})
const resolvers: Record<string, object> = {
  identity: { Organization: reference({ name: 'Acme' }) },
  tunnels: {
    Subscription: {
      trafficEvents: {
        subscribe() {
          const queue: BoundedQueue<unknown> = new BoundedQueue<unknown>(queuedMax, () => {
            queues.delete(queue)
          })
          queues.add(queue)
          return queue
        },
        resolve: (event: { sentAtMs: number; n: number }) => ({
          cursor: String(event.n),
          sentAtMs: event.sentAtMs,
          tunnel: { id: `t${event.n % 50}`, organization: { id: 'o1' } },
        }),
      },
    },
  },
  domains: { Tunnel: reference({ domain: 'example.net' }) },
}

const urls: Record<string, string> = {}
for (const [name, sdl] of Object.entries(liveSdl)) urls[name] = await serve(name, sdl)
process.on('message', (message: { emit: number; count: number } | { calls: true }) => {
  if ('emit' in message) {
    // A relay publishes what ended since its last turn as one message.
    for (let n = message.emit; n < message.emit + message.count; n += 1) {
      const event = { n, sentAtMs: performance.timeOrigin + performance.now() }
      for (const queue of queues) queue.push(event)
    }
  } else process.send?.({ calls: entityCalls, upstreams: queues.size })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ urls })

async function serve(name: string, sdl: string): Promise<string> {
  const schema = buildSubgraphSchema({
    typeDefs: parse(sdl),
    resolvers: (resolvers[name] ?? {}) as never,
  })
  const server = createServer((request, response) => {
    // What else the gateway asks of identity has no part in this.
    if (request.url !== '/graphql') {
      response.writeHead(404).end()
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      entityCalls += 1
      const { query, variables } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        query: string
        variables?: Record<string, unknown>
      }
      void Promise.resolve(
        execute({ schema, document: parse(query), variableValues: variables }),
      ).then((result) => response.end(JSON.stringify(result)))
    })
  })
  serveSubgraphSockets(
    server,
    {
      schema,
      execute: (args: ExecutionArgs) => execute(args),
      subscribe: (args: ExecutionArgs) => subscribe(args),
    },
    silentLog,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
}
