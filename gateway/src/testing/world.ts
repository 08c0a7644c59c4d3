import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'

import { composeServices } from '@apollo/composition'
import { createInternalVerifier, type SubgraphName } from '@sluice/kit/internal-token'
import { silentLog, type Log } from '@sluice/kit/log'
import { listen } from '@sluice/kit/metrics'
import type { Principal } from '@sluice/kit/principal'
import { openRedis, redisReady } from '@sluice/kit/redis'
import { createRestRoutes, type RestRoute } from '@sluice/kit/rest'
import { generatePrivateJwks, publicJwksOf } from '@sluice/kit/signing-keys'
import { openSubgraph } from '@sluice/kit/subgraph'
import { openTestRedis } from '@sluice/kit/testing'
import { redisChannels, type Revocation } from '@sluice/schema/redis'
import { parse } from 'graphql'
import { createClient, type Client } from 'graphql-ws'
import { inject } from 'vitest'
import { WebSocket } from 'ws'

import { documentIdOf } from '../document-id.ts'
import type { Limits } from '../limits.ts'
import { createServer, type Gateway, type GatewayOptions } from '../server.ts'
import { createFakeIdentity, type FakeIdentity } from './fake-identity.ts'
import {
  createFixtureWorld,
  fixtureSchemas,
  fixtureSdl,
  type FixtureWorld,
} from './fixture-subgraphs.ts'
import { memberPrincipal } from './principals.ts'

export interface GraphAnswer {
  status: number
  headers: Headers
  data: Record<string, unknown> | null | undefined
  errors:
    | { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[]
    | undefined
  text: string
}

export interface World extends FixtureWorld, AsyncDisposable {
  readonly gateway: Gateway
  readonly identity: FakeIdentity
  readonly origin: string
  readonly socketUrl: string
  /** Signs somebody in and returns the token. */
  signIn(principal?: Principal, expiresAt?: Date): string
  post(
    body: unknown,
    options?: { token?: string | undefined; headers?: Record<string, string> },
  ): Promise<GraphAnswer>
  query(text: string, token?: string, variables?: Record<string, unknown>): Promise<GraphAnswer>
  /** A graphql-ws client that never retries. */
  client(token?: string): Client
  socket(options?: { origin?: string; protocol?: string }): WebSocket
  /** Says on the revocations channel what is void from now on. */
  revoke(what: Omit<Revocation, 'at'>): Promise<void>
  /** The operator's figures; needs a `metricsPort`. */
  figures(): Promise<string>
  /** Stops one subgraph as if it had crashed. */
  stop(name: SubgraphName): Promise<void>
  /** Starts it again where it was. */
  restart(name: SubgraphName): Promise<void>
}

export const consoleOrigin = 'http://localhost:4000'
export const registeredDocument = 'query Registered {\n  plans\n}'

/** Names that take the place of a subgraph's own server: a listener that misbehaves. */
type Replaced = Partial<Record<SubgraphName, RequestListener>>

type WorldOptions = Partial<Omit<GatewayOptions, 'limits'>> & {
  limits?: Partial<Limits>
  replaced?: Replaced
  /** What identity answers outside the graph. */
  rest?: readonly RestRoute[]
  /** The same of the others. */
  otherRest?: Partial<Record<SubgraphName, readonly RestRoute[]>>
  log?: Log
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  await using disposer = new AsyncDisposableStack()
  // Clients come later, when the stack around them has been handed over.
  const clients = new AsyncDisposableStack()
  const log = options.log ?? silentLog
  const redis = disposer.use(await openTestRedis(inject('redisUrl')))
  const internalSigningJwks = await generatePrivateJwks(1)
  const identity = createFakeIdentity()
  const fixture = createFixtureWorld()
  const schemas = fixtureSchemas(fixture)
  const stops = new Map<SubgraphName, () => Promise<void>>()
  const subgraphs: Partial<Record<SubgraphName, string>> = {}

  const internalPublicJwks = publicJwksOf(internalSigningJwks)
  const routeOf = routesOf(identity, options, internalPublicJwks)
  const open = async (name: SubgraphName, port: number): Promise<number> => {
    const replaced = options.replaced?.[name]
    const server = replaced
      ? await listen(createHttpServer(replaced), port)
      : await openSubgraph<object>({
          name,
          schema: schemas[name],
          context: (caller) => caller,
          internalPublicJwks,
          port,
          log: silentLog,
          notReady: async () => null,
          route: routeOf(name),
        })
    stops.set(name, () => server.close())
    return server.port
  }
  for (const name of ['identity', 'tunnels', 'domains', 'billing'] as const) {
    subgraphs[name] = `http://127.0.0.1:${await open(name, 0)}/graphql`
    disposer.defer(async () => stops.get(name)?.())
  }

  const { replaced: _replaced, rest: _rest, otherRest: _otherRest, ...gatewayOptions } = options
  const gateway = await createServer({
    port: 0,
    supergraphSdl: composed(fixtureSdl),
    manifest: {
      [documentIdOf(registeredDocument)]: { name: 'Registered', text: registeredDocument },
    },
    subgraphs: subgraphs as Record<SubgraphName, string>,
    identityUrl: subgraphs.identity ?? '',
    internalSigningJwks,
    redisUrl: redis.url,
    consoleOrigin,
    documents: 'any',
    relayKeyHashes: [],
    log,
    ...gatewayOptions,
  })
  disposer.defer(() => gateway.close())
  disposer.use(clients)
  const origin = `http://127.0.0.1:${gateway.port}`
  const socketUrl = `ws://127.0.0.1:${gateway.port}/graphql`

  const world: World = {
    ...fixture,
    gateway,
    identity,
    origin,
    socketUrl,
    signIn: (principal = memberPrincipal(), expiresAt) =>
      identity.add(principal, expiresAt ?? null),
    async post(body, { token, headers } = {}) {
      const response = await fetch(`${origin}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      return answerOf(response)
    },
    query: (query, token, variables) => world.post({ query, variables }, { token }),
    client(token) {
      const client = createClient({
        url: socketUrl,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
      })
      clients.defer(async () => client.dispose())
      return client
    },
    socket({ origin: from, protocol = 'graphql-transport-ws' } = {}) {
      const socket = new WebSocket(socketUrl, protocol, from === undefined ? {} : { origin: from })
      socket.on('error', () => undefined)
      clients.defer(() => socket.terminate())
      return socket
    },
    async revoke(what) {
      const sender = openRedis(redis.url, log)
      await redisReady(sender)
      const revocation: Revocation = { ...what, at: new Date().toISOString() }
      await sender.publish(redisChannels.revocations, JSON.stringify(revocation))
      sender.disconnect()
    },
    figures: async () => (await fetch(`http://127.0.0.1:${gateway.metricsPort}/metrics`)).text(),
    async stop(name) {
      await stops.get(name)?.()
      stops.delete(name)
    },
    async restart(name) {
      await world.stop(name)
      await open(name, Number(new URL(subgraphs[name] ?? '').port))
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  }
  const owned = disposer.move()
  return world
}

/** What a subgraph answers outside the graph. */
function routesOf(
  identity: FakeIdentity,
  { rest = [], otherRest = {} }: Pick<WorldOptions, 'rest' | 'otherRest'>,
  internalPublicJwks: ReturnType<typeof publicJwksOf>,
) {
  return (name: SubgraphName) => {
    const verify = createInternalVerifier(internalPublicJwks, name)
    const routes = name === 'identity' ? rest : (otherRest[name] ?? [])
    const restRoute = createRestRoutes({ verify, routes })
    if (name !== 'identity') return restRoute
    return async (request: IncomingMessage, response: ServerResponse) =>
      (await identity.route(request, response)) || restRoute(request, response)
  }
}

export function composed(sdl: Record<string, string>): string {
  const services = Object.entries(sdl).map(([name, text]) => ({
    name,
    typeDefs: parse(text),
    url: `http://${name}.invalid`,
  }))
  const { supergraphSdl, errors } = composeServices(services)
  if (errors) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'))
  return supergraphSdl
}

async function answerOf(response: Response): Promise<GraphAnswer> {
  const text = await response.text()
  const body = parseJson(text)
  return {
    status: response.status,
    headers: response.headers,
    data: body?.data,
    errors: body?.errors,
    text,
  }
}

function parseJson(text: string): Pick<GraphAnswer, 'data' | 'errors'> | null {
  try {
    return JSON.parse(text) as Pick<GraphAnswer, 'data' | 'errors'>
  } catch {
    return null
  }
}

/** The code of the first error. */
export function codeOf({ errors }: Pick<GraphAnswer, 'errors'>): unknown {
  return errors?.[0]?.extensions?.['code']
}
