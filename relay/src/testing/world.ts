import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

import { silentLog } from '@sluice/kit/log'
import {
  agentTokenAudience,
  agentTokenType,
  tokenIssuer,
  type AgentTokenClaims,
} from '@sluice/schema/claims'
import {
  DirectSockets,
  Forwarder,
  HeadScanner,
  RawForwarder,
  openFlag,
  openSocketLink,
  type Carried,
  type Datagram,
  type ForwarderOptions,
  type ProxyProtocolVersion,
  type Refusal,
  type Session,
  type SessionWindows,
  type TunnelStream,
  type UpstreamAddress,
  type Welcome,
} from '@sluice/wire'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'

import { createRelay, type Relay, type RelayOptions } from '../server.ts'

export const apex = 'tunnel.test'
export const host = `app.${apex}`

type SigningKey = Parameters<SignJWT['sign']>[0]

interface AgentOptions {
  readonly hostHeader?: string
  readonly windows?: SessionWindows
  readonly features?: readonly string[]
  /** What the agent answers itself, in the upstream's place. */
  readonly answer?: ForwarderOptions['answer']
  /** What is not as usual with the upstream. */
  readonly upstream?: Partial<UpstreamAddress>
  readonly proxyProtocol?: ProxyProtocolVersion
  readonly onCarried?: (carried: Carried) => void
}

/** An agent of the tests: one link, the real session and forwarder, no reconnect. */
export interface TestAgent {
  readonly session: Session
  readonly socket: Socket
  readonly refused: Promise<Refusal>
  readonly closed: Promise<string>
  readonly goneAway: Promise<unknown>
  readonly welcome: Promise<Welcome>
}

/** A relay with agents and upstreams of its own, all on port 0, closed together. */
export class World implements AsyncDisposable {
  readonly relay: Relay
  readonly #privateKey: SigningKey
  readonly #address: string
  readonly #stack = new AsyncDisposableStack()

  constructor(relay: Relay, privateKey: SigningKey, address: string) {
    this.relay = relay
    this.#address = address
    this.#privateKey = privateKey
    this.#stack.defer(() => relay.close())
  }

  agentToken(
    claims: Partial<AgentTokenClaims> = {},
    privateKey = this.#privateKey,
  ): Promise<string> {
    const { exp, iat, jti = 'token', sub = 'authtoken-1', ...own } = claims
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({
      organizationId: 'organization-1',
      tunnelId: 'tunnel-1',
      kind: 'http',
      endpointHosts: [host],
      tlsMode: 'terminate',
      region: 'local',
      epoch: 1,
      policy: {},
      maxConcurrentConns: 100,
      ...own,
    })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'test', typ: agentTokenType })
      .setIssuer(tokenIssuer)
      .setAudience(agentTokenAudience)
      .setJti(jti)
      .setSubject(sub)
      .setIssuedAt(iat ?? now)
      .setExpirationTime(exp ?? now + 300)
      .sign(privateKey)
  }

  /** Starts an upstream of the tests. */
  async upstream(listener: RequestListener): Promise<Server> {
    const server = createHttpServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#stack.defer(() => {
      server.close()
      server.closeAllConnections()
    })
    return server
  }

  /** Dials, says hello, and does not wait for the answer. */
  async dial(port: number, agentToken: string, options: AgentOptions = {}): Promise<TestAgent> {
    const upstream = { host: '127.0.0.1', port, tls: false, ...options.upstream }
    const forwarder = new Forwarder({
      upstream,
      hostHeader: options.hostHeader ?? 'preserve',
      proxyProtocol: options.proxyProtocol,
      ...(options.answer ? { answer: options.answer } : {}),
    })
    const raw = new RawForwarder({ ...options, upstream })
    const socket = await handshake(this.relay.httpPort, this.#address)
    const refused = Promise.withResolvers<Refusal>()
    const closed = Promise.withResolvers<string>()
    const goneAway = Promise.withResolvers<unknown>()
    const welcome = Promise.withResolvers<Welcome>()
    const events = {
      onOpen(stream: TunnelStream, payload: Buffer, ended: boolean) {
        const isRaw = ((payload[0] ?? 0) & openFlag.raw) !== 0
        ;(isRaw ? raw : forwarder).open(stream, payload, ended)
      },
      onDatagram: (datagram: Datagram) => raw.receive(session, datagram),
      onRefused: refused.resolve,
      onWelcome: welcome.resolve,
      onClose: closed.resolve,
      onGoAway: goneAway.resolve,
    }
    const { session } = openSocketLink('agent', socket, Buffer.alloc(0), events, {
      windows: options.windows,
    })
    session.hello(agentToken, 'test', options.features ?? [])
    this.#stack.defer(() => {
      session.close()
      forwarder.close()
      raw.close()
      socket.destroy()
    })
    return {
      session,
      socket,
      refused: refused.promise,
      closed: closed.promise,
      goneAway: goneAway.promise,
      welcome: welcome.promise,
    }
  }

  /** A tunnel to an upstream, online. */
  async tunnel(
    upstream: Pick<Server, 'address'> | number,
    claims: Partial<AgentTokenClaims> = {},
    options: AgentOptions = {},
  ): Promise<TestAgent> {
    const port = typeof upstream === 'number' ? upstream : portOf(upstream)
    const agent = await this.dial(port, await this.agentToken(claims), options)
    await agent.welcome
    return agent
  }

  /** A visitor's connection that speaks bytes. */
  async visitor(): Promise<Visitor> {
    const socket = connect({ port: this.relay.httpPort, host: '127.0.0.1', allowHalfOpen: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    this.#stack.defer(() => void socket.destroy())
    return new Visitor(socket)
  }

  /** A visitor's connection over TLS that checks the certificate and speaks bytes. */
  async tlsVisitor(options: ConnectionOptions): Promise<Visitor> {
    const socket = connectTls({ port: this.relay.httpsPort, host: '127.0.0.1', ...options })
    this.#stack.defer(() => void socket.destroy())
    await new Promise((resolve, reject) =>
      socket.once('secureConnect', resolve).once('error', reject),
    )
    return new Visitor(socket)
  }

  /** Sends bytes and answers everything that came until the relay closed. */
  async exchange(request: string): Promise<string> {
    const visitor = await this.visitor()
    visitor.send(request)
    return visitor.rest()
  }

  use(close: () => Promise<void> | void): void {
    this.#stack.defer(close)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

/** Collects what a relay sends, and waits for parts of it. */
export class Visitor {
  readonly socket: Socket
  received = ''
  ended = false
  #changed = Promise.withResolvers<void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
      this.#change()
    })
    const end = (): void => {
      this.ended = true
      this.#change()
    }
    socket.on('end', end).on('error', end).on('close', end)
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes)
  }

  /** Waits until something is true of what came. Fails when the relay closes first. */
  async until(holds: (received: string) => boolean): Promise<string> {
    while (!holds(this.received)) {
      if (this.ended) throw new Error(`the relay closed after: ${this.received}`)
      await this.#changed.promise
    }
    return this.received
  }

  async rest(): Promise<string> {
    while (!this.ended) await this.#changed.promise
    return this.received
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** Starts a relay that trusts the tokens of its world. */
export async function createWorld(
  options: Partial<RelayOptions> = {},
  keys = generateKeyPair('EdDSA', { crv: 'Ed25519' }),
): Promise<World> {
  const { publicKey, privateKey } = await keys
  const key = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' }
  const relay = await createRelay({
    relayId: 'relay-1',
    region: 'local',
    apex,
    host: '127.0.0.1',
    httpPort: 0,
    httpsPort: undefined,
    adminPort: 0,
    jwks: { keys: [key] },
    drainMs: 2_000,
    outageMs: 0,
    headTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    responseHeadTimeoutMs: 5_000,
    bodyTimeoutMs: 0,
    bodyBytesMin: 1,
    unreadTimeoutMs: 0,
    sessionsMax: 20,
    connectionsMax: 200,
    connectionsPerAddressMax: 10_000,
    connectionsWaitingMax: 100,
    version: '0.0.0',
    // Whoever keeps bytes that are the socket's shall be seen.
    sockets: new DirectSockets({ scrub: true }),
    log: silentLog,
    ...options,
  })
  return new World(relay, privateKey, options.host ?? '127.0.0.1')
}

export function portOf(server: { address(): ReturnType<Server['address']> }): number {
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('not listening')
  return address.port
}

/** A WebSocket handshake by hand; resolves with the socket behind it. */
async function handshake(port: number, address: string): Promise<Socket> {
  const socket = connect({ port, host: address })
  socket.write(
    `GET /_sluice/session HTTP/1.1\r\nHost: edge.${apex}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onData = (chunk: Buffer): void => {
    const scanner = new HeadScanner()
    const end = scanner.scanResponse(chunk, 0, chunk.length)
    socket.off('data', onData)
    socket.pause()
    if (scanner.status !== 101) reject(new Error(chunk.toString('latin1')))
    else {
      if (end < chunk.length) socket.unshift(chunk.subarray(end))
      resolve()
    }
  }
  socket.on('data', onData)
  socket.once('error', reject)
  await promise
  socket.off('error', reject)
  return socket
}
