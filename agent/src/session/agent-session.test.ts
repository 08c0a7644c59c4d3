import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

import { SluiceError } from '@sluice/schema/errors'
import {
  acceptOf,
  closeCode,
  openSocketLink,
  writeOpenPrefix,
  type Hello,
  type Session,
} from '@sluice/wire'
import { expect, test } from 'vitest'

import { openAgentSession, type AgentSession, type AgentSessionOptions } from './agent-session.ts'

/** A relay of the tests: takes agents in and opens streams by hand. */
class TestRelay implements AsyncDisposable {
  readonly hellos: Hello[] = []
  readonly sessions: Session[] = []
  readonly sockets: Socket[] = []
  /** What to do with the next hello; welcomes when unset. */
  answer: ((session: Session, hello: Hello) => void) | undefined
  onToken: ((agentToken: string) => void) | undefined
  readonly #server: Server
  readonly #stack = new AsyncDisposableStack()
  #arrived = Promise.withResolvers<void>()

  constructor() {
    this.#server = createServer((socket) => this.#accept(socket))
    this.#stack.defer(() => {
      this.#server.close()
      for (const socket of this.sockets) socket.destroy()
    })
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get url(): string {
    return `ws://edge.tunnel.localhost:${portOf(this.#server)}/_sluice/session`
  }

  async agent(listener: RequestListener, options: Partial<AgentSessionOptions> = {}) {
    const upstream = createHttpServer(listener)
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    const agent = openAgentSession({
      edges: [{ url: this.url, region: 'local' }],
      agentToken: () => Promise.resolve('token'),
      upstream: { host: '127.0.0.1', port: portOf(upstream), tls: false },
      hostHeader: 'preserve',
      agentVersion: '1.2.3',
      ...options,
    })
    this.#stack.defer(async () => {
      await agent.close({ graceMs: 0 })
      upstream.close()
      upstream.closeAllConnections()
    })
    return agent
  }

  /** Waits until so many agents have said hello. */
  async until(hellos: number): Promise<void> {
    while (this.hellos.length < hellos) await this.#arrived.promise
  }

  /** One request as a relay sends it; resolves with head and body, or the code of a reset. */
  get(
    path: string,
    session = this.sessions.at(-1),
    onOwn?: (own: boolean) => void,
  ): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    const payload = Buffer.alloc(500)
    const host = `GET ${path} HTTP/1.1\r\nHost: `.length
    const start = writeOpenPrefix(payload, 0, host, 'app.test'.length, '192.0.2.7')
    const end = start + payload.write(`GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`, start)
    let text = ''
    const stream = session?.openStream(
      {
        onHead(head, own) {
          text += head.toString('latin1')
          onOwn?.(own)
        },
        onData(piece, ended) {
          text += piece.toString('latin1')
          stream?.drained(piece.length)
          if (ended) resolve(text)
        },
        onEnd: () => resolve(text),
        onReset: (code) => resolve(code),
        onResume() {},
      },
      payload,
      0,
      end,
      true,
    )
    return promise
  }

  #accept(socket: Socket): void {
    this.sockets.push(socket)
    socket.on('error', () => undefined)
    socket.once('data', (head: Buffer) => {
      const key = /sec-websocket-key: (\S+)/i.exec(head.toString('latin1'))?.[1] ?? ''
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`,
      )
      const { session } = openSocketLink('relay', socket, Buffer.alloc(0), {
        onToken: (token) => this.onToken?.(token),
        onHello: (hello) => {
          if (this.answer) this.answer(session, hello)
          else welcome(session, hello)
          this.sessions.push(session)
          this.hellos.push(hello)
          this.#arrived.resolve()
          this.#arrived = Promise.withResolvers()
        },
        onClose() {},
      })
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

function welcome(session: Session, hello: Hello, expiresInMs = 300_000): void {
  const message = { version: 2, features: [], relayId: 'relay', endpointHosts: [], expiresInMs }
  session.welcome(hello, { ...message, sessionId: crypto.randomUUID() })
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  return (server.address() as AddressInfo).port
}

async function next(
  agent: AgentSession,
  name: 'online' | 'offline' | 'fatal' | 'request',
): Promise<unknown> {
  const [event] = await once(agent, name)
  return event
}

test('an agent comes online, forwards a request and reports it', async () => {
  await using relay = await new TestRelay().listen()
  const agent = await relay.agent((request, response) => response.end(`for ${request.url}`))
  await next(agent, 'online')
  const reported = next(agent, 'request')

  expect(await relay.get('/a')).toContain('for /a')

  expect(relay.hellos[0]).toMatchObject({
    agentToken: 'token',
    agentVersion: '1.2.3',
    versions: [2, 1],
  })
  expect(await reported).toMatchObject({
    method: 'GET',
    path: '/a',
    status: 200,
    visitorIp: '192.0.2.7',
    responseBytes: 6,
  })
})

test('a lost session is dialled again at once, with a new token', async () => {
  await using relay = await new TestRelay().listen()
  let tokens = 0
  const agent = await relay.agent((_request, response) => response.end('ok'), {
    agentToken: () => Promise.resolve(`token-${(tokens += 1)}`),
  })
  await next(agent, 'online')
  const offline = next(agent, 'offline')
  const online = next(agent, 'online')

  relay.sockets[0]?.destroy()

  expect(await offline).toMatchObject({ retryInMs: 0 })
  expect(await online).toMatchObject({ reconnected: true })
  expect(relay.hellos.map((hello) => hello.agentToken)).toEqual(['token-1', 'token-2'])
})

test('a relay that is not there is told of in words', async () => {
  await using relay = await new TestRelay().listen()
  const agent = await relay.agent((_request, response) => response.end('ok'), {
    // Nobody listens at port 1.
    edges: [{ url: 'ws://127.0.0.1:1/_sluice/session', region: 'local' }],
  })

  expect(await next(agent, 'offline')).toMatchObject({ reason: 'the connection was refused' })
})

test('a session that was taken over is not dialled again', async () => {
  await using relay = await new TestRelay().listen()
  const agent = await relay.agent((_request, response) => response.end())
  await next(agent, 'online')
  const fatal = next(agent, 'fatal')

  relay.sessions[0]?.refuse('SLUICE_SESSION_REPLACED', {}, closeCode.replaced)

  expect(await fatal).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
  expect(relay.hellos.length).toBe(1)
})

test('a session that was revoked comes back by a token made since, if there is one', async () => {
  await using relay = await new TestRelay().listen()
  const needs: boolean[] = []
  const agent = await relay.agent((_request, response) => response.end('ok'), {
    agentToken: ({ fresh = false }) => {
      needs.push(fresh)
      return Promise.resolve(`token-${needs.length}`)
    },
  })
  await next(agent, 'online')
  const online = next(agent, 'online')

  relay.sessions[0]?.refuse('SLUICE_SESSION_REVOKED', {}, closeCode.revoked)

  expect(await online).toMatchObject({ reconnected: true })
  expect(needs).toEqual([false, true])
})

test('a session whose authtoken was revoked ends with what the server says of it', async () => {
  await using relay = await new TestRelay().listen()
  let isRevoked = false
  const agent = await relay.agent((_request, response) => response.end('ok'), {
    agentToken: async () => {
      if (isRevoked) throw new SluiceError('SLUICE_AUTHTOKEN_INVALID')
      return 'token'
    },
  })
  await next(agent, 'online')
  const fatal = next(agent, 'fatal')
  isRevoked = true

  relay.sessions[0]?.refuse('SLUICE_SESSION_REVOKED', {}, closeCode.revoked)

  expect(await fatal).toMatchObject({ code: 'SLUICE_AUTHTOKEN_INVALID' })
  expect(relay.hellos.length).toBe(1)
})

test('a relay that takes no token any more is not asked for ever', async () => {
  await using relay = await new TestRelay().listen()
  relay.answer = (session) => session.refuse('SLUICE_SESSION_REVOKED', {}, closeCode.revoked)

  const agent = await relay.agent((_request, response) => response.end('ok'), { comeBackMs: 500 })

  expect(await next(agent, 'fatal')).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(relay.hellos.length).toBeGreaterThan(1)
})

test('a port that another relay has not given up yet is asked for again', async () => {
  await using relay = await new TestRelay().listen()
  relay.answer = (session) => {
    relay.answer = undefined
    session.refuse('SLUICE_PORT_TAKEN', { port: 20_001 }, 4409)
  }
  const agent = await relay.agent((_request, response) => response.end('ok'), { raw: {} })

  expect(await next(agent, 'offline')).toMatchObject({ reason: 'SLUICE_PORT_TAKEN' })
  expect(await next(agent, 'online')).toMatchObject({ relayUrl: relay.url })
})

test('an agent leaves a relay that is too old for its tunnel, and says so', async () => {
  await using relay = await new TestRelay().listen()
  relay.answer = (session, hello) => {
    const old = { version: 1, features: [], relayId: 'old', endpointHosts: [] }
    session.welcome(hello, { ...old, sessionId: 'old', expiresInMs: 300_000 })
  }
  const agent = await relay.agent((_request, response) => response.end('ok'), { raw: {} })

  expect(await next(agent, 'fatal')).toMatchObject({ code: 'SLUICE_PROTOCOL_UNSUPPORTED' })
})

test('a refused token is replaced by a fresh one, and a control plane that is away is waited for', async () => {
  await using relay = await new TestRelay().listen()
  let asked = 0
  relay.answer = (session, hello) => {
    if (hello.agentToken === 'token-2') session.refuse('SLUICE_AGENT_TOKEN_INVALID', {}, 4401)
    else welcome(session, hello)
  }
  const agent = await relay.agent((_request, response) => response.end(), {
    agentToken() {
      asked += 1
      if (asked === 1) throw new SluiceError('SLUICE_SUBGRAPH_UNAVAILABLE')
      return Promise.resolve(`token-${asked}`)
    },
  })

  await next(agent, 'online')

  expect(relay.hellos.map((hello) => hello.agentToken)).toEqual(['token-2', 'token-3'])
})

test('a lost session is dialled with an expired token if need be, but not after a relay refused one', async () => {
  await using relay = await new TestRelay().listen()
  const needs: boolean[] = []
  relay.answer = (session, hello) => {
    if (relay.hellos.length === 1) session.refuse('SLUICE_AGENT_TOKEN_INVALID', {}, 4401)
    else welcome(session, hello)
  }
  const agent = await relay.agent((_request, response) => response.end(), {
    agentToken({ expiredWillDo }) {
      needs.push(expiredWillDo)
      return Promise.resolve('token')
    },
  })
  await next(agent, 'online')
  const online = next(agent, 'online')

  relay.sockets[0]?.destroy()
  await online

  expect(needs).toEqual([true, true, false])
})

test('a control plane that says no ends the session for good', async () => {
  await using relay = await new TestRelay().listen()
  const agent = await relay.agent((_request, response) => response.end(), {
    agentToken: () => Promise.reject(new SluiceError('SLUICE_SESSION_REVOKED')),
  })

  expect(await next(agent, 'fatal')).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(relay.hellos).toEqual([])
})

test('the round trip is answered for its nonce alone, without the upstream', async () => {
  await using relay = await new TestRelay().listen()
  const agent = await relay.agent((_request, response) => response.end('upstream'))
  agent.expectRoundTrip('n-1')
  await next(agent, 'online')

  const own: boolean[] = []
  const get = (nonce: string) =>
    relay.get(`/.well-known/sluice-verify/${nonce}`, undefined, (is) => own.push(is))

  expect(await get('n-1')).toMatch(/\r\n\r\nn-1$/)
  expect(await get('n-2')).toContain('upstream')
  expect(own).toEqual([true, false])
})

test('a refused upstream is reported with its code', async () => {
  await using relay = await new TestRelay().listen()
  const upstream = { host: '127.0.0.1', port: 1, tls: false }
  const agent = await relay.agent((_request, response) => response.end(), { upstream })
  await next(agent, 'online')
  const reported = next(agent, 'request')

  expect(await relay.get('/')).toBe('SLUICE_UPSTREAM_REFUSED')
  expect(await reported).toMatchObject({ status: 502, code: 'SLUICE_UPSTREAM_REFUSED' })
})

test('closing lets a request in flight finish', async () => {
  await using relay = await new TestRelay().listen()
  const arrived = Promise.withResolvers<() => void>()
  const agent = await relay.agent((_request, response) =>
    arrived.resolve(() => response.end('whole')),
  )
  await next(agent, 'online')
  const answer = relay.get('/')
  const finish = await arrived.promise

  const closing = agent.close({ graceMs: 5_000 })
  finish()

  expect(await answer).toContain('whole')
  await closing
})

test('a relay that goes away is left for the next session while its streams finish', async () => {
  await using relay = await new TestRelay().listen()
  const arrived = Promise.withResolvers<() => void>()
  const agent = await relay.agent((_request, response) =>
    arrived.resolve(() => response.end('whole')),
  )
  await next(agent, 'online')
  const answer = relay.get('/')
  const finish = await arrived.promise
  const online = next(agent, 'online')

  relay.sessions[0]?.goAway({ reason: 'shutting down', graceMs: 5_000 })
  await online
  finish()

  expect(await answer).toContain('whole')
  expect(relay.hellos.length).toBeGreaterThan(1)
})

test('RENEW brings a fresh agent token at once, and changes that come meanwhile bring one more', async () => {
  await using relay = await new TestRelay().listen()
  const tokens: string[] = []
  const twice = Promise.withResolvers<void>()
  relay.onToken = (token) => {
    tokens.push(token)
    if (tokens.length === 2) twice.resolve()
  }
  const minting = Promise.withResolvers<void>()
  const needs: boolean[] = []
  const agent = await relay.agent((_request, response) => response.end('still here'), {
    async agentToken({ fresh = false }) {
      const number = needs.push(fresh)
      if (number === 2) await minting.promise
      return `token-${number}`
    },
  })
  await once(agent, 'online')

  const [session] = relay.sessions
  for (let times = 0; times < 5; times += 1) session?.renew()
  // They travel in order: once this is answered, all five have been heard.
  const answer = await relay.get('/')
  minting.resolve()
  await twice.promise

  expect(answer).toContain('still here')
  expect(tokens).toEqual(['token-2', 'token-3'])
  expect(needs).toEqual([false, true, true])
  expect(relay.hellos.length).toBe(1)
})

test('another host header holds for new requests, on the same session', async () => {
  await using relay = await new TestRelay().listen()
  const agent = await relay.agent((request, response) => response.end(request.headers.host))
  await once(agent, 'online')

  const before = await relay.get('/')
  agent.rehost('other.test')
  const after = await relay.get('/')

  expect(before).toMatch(/app\.test$/)
  expect(after).toMatch(/other\.test$/)
  expect(relay.hellos.length).toBe(1)
})
