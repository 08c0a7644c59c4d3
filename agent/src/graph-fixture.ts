import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import { problemOf, SluiceError } from '@sluice/schema/errors'
import { buildSchema, graphql, GraphQLError } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'

/** The graph as the gateway publishes it, so that our documents are held against the real types. */
const sdl = readFileSync(fileURLToPath(import.meta.resolve('@sluice/schema/api.graphql')), 'utf8')

export const fixtureAuthtoken = `slt_${'a'.repeat(38)}`

/** Field by field what the graph answers; a function gets the field's arguments. */
export type GraphRoot = Record<string, object | string | number | boolean>

export const fixtureOrganization = { id: 'o1', name: 'Acme', slug: 'acme', plan: { name: 'Free' } }
export const fixtureViewer = {
  kind: 'AUTHTOKEN',
  scopes: ['TUNNELS_START'],
  isAdmin: false,
  user: { name: 'Ada', email: 'ada@acme.test' },
  organization: fixtureOrganization,
}

export function fixtureTunnel(name: string) {
  return {
    id: `t-${name}`,
    name,
    kind: 'HTTP',
    port: null,
    endpointHost: `${name}.tunnel.localhost`,
    urls: [`http://${name}.tunnel.localhost:8080`],
    status: 'ONLINE',
    region: 'local',
    createdAt: '2026-11-21T10:00:00.000Z',
    startedAt: '2026-11-21T10:00:00.000Z',
    onlineSince: '2026-11-21T10:00:01.000Z',
    connections: 2,
    hostHeader: null,
    policy: { basicAuthUsers: [], allowIps: [], denyIps: [] },
    organization: fixtureOrganization,
  }
}

export function fixtureRequest(path: string) {
  return {
    id: `r-${path}`,
    method: 'GET',
    path,
    status: 200,
    code: null,
    protocol: 'HTTP/1.1',
    endpointHost: 'app.tunnel.localhost',
    visitorIp: '203.0.113.7',
    startedAt: '2026-11-21T10:00:02.000Z',
    durationMs: 12.4,
    requestBytes: 0,
    responseBytes: 1536,
    tunnel: fixtureTunnel('app'),
  }
}

export interface GraphFixture extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Cuts every open WebSocket without a close handshake, as a crash does. */
  cutSockets(): void
  /** Stops reading from every open WebSocket and leaves it open, as a dead network path does. */
  freezeSockets(): void
}

/** A server that speaks the graph as the gateway does, HTTP and graphql-ws, from canned answers. */
export async function openGraphFixture(root: GraphRoot, port = 0): Promise<GraphFixture> {
  const schema = buildSchema(sdl)
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    })
  })

  async function answer(request: IncomingMessage) {
    const credential = request.headers.authorization
    if (credential !== `Bearer ${fixtureAuthtoken}`) {
      const problem = problemOf(new SluiceError('SLUICE_AUTHTOKEN_INVALID'))
      return { status: 401, body: { errors: [{ message: problem.title, extensions: problem }] } }
    }
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const { query, variables } = JSON.parse(String(Buffer.concat(chunks))) as {
      query: string
      variables: Record<string, unknown>
    }
    const result = await graphql({
      schema,
      source: query,
      variableValues: variables,
      rootValue: root,
    })
    return { status: 200, body: { ...result, errors: result.errors?.map(withProblem) } }
  }

  const sockets = new WebSocketServer({ server, path: '/graphql' })
  const graph = useServer(
    {
      schema,
      roots: { subscription: root },
      onConnect: ({ connectionParams }) =>
        connectionParams?.['authorization'] === `Bearer ${fixtureAuthtoken}`,
      onError: (_context, _id, _payload, errors) =>
        errors.map((error) => withProblem(error).toJSON()),
    },
    sockets,
  )
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve)
  })
  const { port: bound } = server.address() as AddressInfo

  return {
    url: `http://localhost:${bound}`,
    port: bound,
    cutSockets() {
      for (const socket of sockets.clients) socket.terminate()
    },
    freezeSockets() {
      for (const socket of sockets.clients) socket.pause()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate()
      await graph.dispose()
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

function withProblem(error: GraphQLError) {
  const { originalError } = error
  if (!(originalError instanceof SluiceError)) return error
  return new GraphQLError(originalError.message, { extensions: problemOf(originalError) })
}
