import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'

import { buildSchema, execute, graphql, parse, subscribe, validate } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'

import { createWorld } from './world.ts'
import type { World } from './world.ts'

interface Options {
  /** The built console. */
  readonly dist: string
  readonly world?: World
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** The strictest policy that the console must live with; the gateway sends its like. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const schemaFile = join(import.meta.dirname, '../../schema/api.graphql')

/** Serves the built console beside a graph that answers from memory. */
export async function createFixtureServer({ dist, world = createWorld() }: Options) {
  const schema = buildSchema(await readFile(schemaFile, 'utf8'))

  const answerGraph = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { query, variables, operationName } = JSON.parse(Buffer.concat(chunks).toString())
    world.documents.add(query)
    world.counts.set(operationName, (world.counts.get(operationName) ?? 0) + 1)
    const result = await graphql({
      schema,
      source: query,
      rootValue: world.root,
      variableValues: variables,
      operationName,
    })
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result))
  }

  const answerFile = async (url: string, response: ServerResponse) => {
    const path = normalize(new URL(url, 'http://x').pathname)
    const file = extname(path) ? join(dist, path) : join(dist, 'index.html')
    const body = await readFile(file).catch(() => null)
    response
      .writeHead(body ? 200 : 404, {
        'content-type': types[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': contentSecurityPolicy,
      })
      .end(body)
  }

  const server = createServer((request, response) => {
    const { url = '/' } = request
    const answering =
      url === '/graphql' ? answerGraph(request, response) : answerFile(url, response)
    answering.catch(() => response.destroy())
  })
  const sockets = new WebSocketServer({ server, path: '/graphql' })
  const live = useServer(
    {
      schema,
      roots: { subscription: world.root },
      execute,
      subscribe,
      onSubscribe: (_context, _id, { query, variables, operationName }) => {
        world.documents.add(query)
        const document = parse(query)
        const errors = validate(schema, document)
        if (errors.length > 0) return errors
        return { schema, document, operationName, variableValues: variables, rootValue: world.root }
      },
    },
    sockets,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  return {
    url: `http://127.0.0.1:${address.port}`,
    world,
    /** Cuts every live connection, as a gateway that goes down does. */
    cut() {
      for (const socket of sockets.clients) socket.terminate()
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      await live.dispose()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
