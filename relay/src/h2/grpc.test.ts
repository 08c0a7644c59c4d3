import { once } from 'node:events'

import {
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  makeGenericClientConstructor,
  status,
  type Client,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { expect, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { apex, createWorld, host, type World } from '../testing/world.ts'

const certificate = selfSigned(apex)

const method = (
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: (bytes) => bytes,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: (bytes) => bytes,
  responseDeserialize: (bytes) => bytes,
})

const echo = {
  unary: method('Unary', false, false),
  collect: method('Collect', true, false),
  count: method('Count', false, true),
  chat: method('Chat', true, true),
  fail: method('Fail', false, false),
  hang: method('Hang', false, true),
} satisfies ServiceDefinition

interface Served {
  readonly port: number
  /** Resolves when a call to `Hang` was cancelled. */
  readonly cancelled: Promise<string>
}

/** A gRPC server as people write it. */
async function echoServer(world: World, tls: boolean): Promise<Served> {
  const cancelled = Promise.withResolvers<string>()
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  server.addService(echo, {
    unary(asked: { request: Buffer; metadata: Metadata }, done: Function) {
      const trailer = new Metadata()
      trailer.set('x-trailer', String(asked.metadata.get('x-asked')[0] ?? ''))
      trailer.set('x-bytes-bin', Buffer.from([0, 255, 10, 13]))
      done(null, asked.request, trailer)
    },
    collect(asked: NodeJS.ReadableStream, done: Function) {
      const pieces: Buffer[] = []
      asked.on('data', (piece: Buffer) => pieces.push(piece))
      asked.on('end', () => done(null, Buffer.concat(pieces)))
    },
    count(asked: { request: Buffer; write(piece: Buffer): void; end(): void }) {
      for (let index = 0; index < asked.request.length; index += 1)
        asked.write(Buffer.from([index]))
      asked.end()
    },
    chat(asked: NodeJS.ReadWriteStream) {
      asked.on('data', (piece: Buffer) => asked.write(piece))
      asked.on('end', () => asked.end())
    },
    fail(_asked: unknown, done: Function) {
      const metadata = new Metadata()
      metadata.set('x-why', 'because')
      done({ code: status.FAILED_PRECONDITION, details: 'not so: ü €', metadata })
    },
    hang(asked: {
      write(piece: Buffer): void
      on(event: string, listener: () => void): void
      getDeadline(): Date | number
    }) {
      asked.on('cancelled', () => cancelled.resolve(deadlineOf(asked.getDeadline())))
      asked.write(Buffer.from('first'))
    },
  })
  const given = tls
    ? ServerCredentials.createSsl(null, [
        { private_key: Buffer.from(certificate.key), cert_chain: Buffer.from(certificate.cert) },
      ])
    : ServerCredentials.createInsecure()
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', given, (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  world.use(() => server.forceShutdown())
  return { port, cancelled: cancelled.promise }
}

/** As gRPC's server knows it, of a call without one too. */
function deadlineOf(deadline: Date | number): string {
  return Number.isFinite(Number(deadline)) ? 'a deadline' : 'no deadline'
}

const EchoClient = makeGenericClientConstructor(echo, 'Echo')

/** gRPC's own client, through the relay. */
function grpcClient(world: World): InstanceType<typeof EchoClient> {
  const client = new EchoClient(
    `127.0.0.1:${world.relay.httpsPort}`,
    credentials.createSsl(Buffer.from(certificate.cert)),
    {
      'grpc.ssl_target_name_override': host,
      'grpc.default_authority': host,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0,
    },
  )
  world.use(() => client.close())
  return client
}

async function grpcWorld(tls = false, options: Parameters<typeof createWorld>[0] = {}) {
  const world = await createWorld({ httpsPort: 0, certificate, ...options })
  const served = await echoServer(world, tls)
  await world.tunnel(served.port, {}, { upstream: { tls, protocol: 'http2' } })
  const client = grpcClient(world)
  return { ...served, world, client, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

interface Answer {
  readonly message: Buffer | undefined
  readonly error: ServiceError | null
  readonly trailers: Metadata | undefined
}

async function call(
  client: Client,
  name: 'unary' | 'fail',
  message: Buffer,
  metadata = new Metadata(),
): Promise<Answer> {
  const ended = Promise.withResolvers<Metadata>()
  const answered = new Promise<Omit<Answer, 'trailers'>>((resolve) => {
    const made = client.makeUnaryRequest(
      echo[name].path,
      echo[name].requestSerialize,
      echo[name].responseDeserialize,
      message,
      metadata,
      (error, answer) => resolve({ error, message: answer }),
    )
    made.on('status', (found) => ended.resolve(found.metadata))
  })
  return { ...(await answered), trailers: await ended.promise }
}

test.for([
  ['in the clear', false],
  ['over TLS', true],
] as const)(
  'a unary gRPC call passes to an upstream %s, with metadata and trailers',
  async ([, tls]) => {
    await using around = await grpcWorld(tls)
    const metadata = new Metadata()
    metadata.set('x-asked', 'this')

    const answer = await call(around.client, 'unary', Buffer.from('hello'), metadata)

    expect(answer.error).toBeNull()
    expect(answer.message?.toString()).toBe('hello')
    expect(answer.trailers?.get('x-trailer')).toEqual(['this'])
    expect(answer.trailers?.get('x-bytes-bin')).toEqual([Buffer.from([0, 255, 10, 13])])
  },
)

test('a failed gRPC call keeps its status, message and metadata', async () => {
  await using around = await grpcWorld()

  const { error } = await call(around.client, 'fail', Buffer.from('x'))

  expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'not so: ü €' })
  expect(error?.metadata.get('x-why')).toEqual(['because'])
})

test('a call of an unknown gRPC method ends in its head, as the server says it', async () => {
  await using around = await grpcWorld()
  const answer = await new Promise<ServiceError | null>((resolve) => {
    const { requestSerialize, responseDeserialize } = echo.unary
    around.client.makeUnaryRequest(
      '/test.Echo/Absent',
      requestSerialize,
      responseDeserialize,
      Buffer.from('x'),
      (error) => resolve(error),
    )
  })

  expect(answer?.code).toBe(status.UNIMPLEMENTED)
})

test('large gRPC messages pass whole', async () => {
  await using around = await grpcWorld()
  const message = Buffer.alloc(6_000_000, 'abcdefg')

  const answer = await call(around.client, 'unary', message)

  expect(answer.error).toBeNull()
  expect(answer.message?.equals(message)).toBe(true)
})

test('client, server and bidirectional gRPC streams pass message by message', async () => {
  await using around = await grpcWorld()
  const { client } = around

  const collected = await new Promise((resolve, reject) => {
    const stream = client['collect']?.((error: unknown, answer: Buffer) =>
      error ? reject(error) : resolve(answer.toString()),
    )
    for (const letter of 'abcdef') stream.write(Buffer.from(letter))
    stream.end()
  })
  expect(collected).toBe('abcdef')

  const counted: number[] = []
  const counting = client['count']?.(Buffer.alloc(200))
  counting.on('data', (piece: Buffer) => counted.push(piece[0] ?? -1))
  await once(counting, 'end')
  expect(counted).toEqual(Array.from({ length: 200 }, (_, index) => index))

  const chat = client['chat']?.()
  for (const word of ['one', 'two', 'three']) {
    chat.write(Buffer.from(word))
    // Each is answered before the next is sent: nothing waits for an end.
    const [answer] = await once(chat, 'data')
    expect(answer.toString()).toBe(word)
  }
  chat.end()
  const [ended] = await once(chat, 'status')
  expect(ended.code).toBe(status.OK)
})

test('a gRPC call that its client cancels is cancelled at the server', async () => {
  await using around = await grpcWorld()
  const stream = around.client['hang']?.(Buffer.from('x'))
  stream.on('error', () => undefined)
  await once(stream, 'data')

  stream.cancel()

  expect(await around.cancelled).toBe('no deadline')
})

test('a gRPC deadline reaches the server', async () => {
  await using around = await grpcWorld()
  const deadline = Date.now() + 2_000
  const stream = around.client['hang']?.(Buffer.from('x'), { deadline })
  const failed = once(stream, 'error')
  stream.on('data', () => undefined)

  const [error] = await failed
  expect(error.code).toBe(status.DEADLINE_EXCEEDED)
  expect(await around.cancelled).toBe('a deadline')
})

test('both ends of a gRPC call may be silent for longer than those of other requests', async () => {
  const limitMs = 1_000
  await using around = await grpcWorld(false, {
    responseHeadTimeoutMs: limitMs,
    bodyTimeoutMs: limitMs,
  })
  const { client } = around

  const collected = Promise.withResolvers<string>()
  const chat = client['chat']?.()
  chat.write(Buffer.from('first'))
  const [first] = await once(chat, 'data')
  const late = client['collect']?.((error: Error | null, answer: Buffer) => {
    collected.resolve(error ? error.message : answer.toString())
  })
  late.write(Buffer.from('a'))
  await new Promise((resolve) => setTimeout(resolve, 2.5 * limitMs))
  late.end(Buffer.from('b'))
  chat.end(Buffer.from('last'))
  const [last] = await once(chat, 'data')

  expect([String(first), String(last), await collected.promise]).toEqual(['first', 'last', 'ab'])
})

test('a gRPC client learns that the upstream is away', async () => {
  await using world = await createWorld({ httpsPort: 0, certificate })
  await world.tunnel(1, {}, { upstream: { tls: false, protocol: 'http2' } })

  const { error } = await call(grpcClient(world), 'unary', Buffer.from('x'))

  expect(error?.code).toBe(status.UNAVAILABLE)
})
