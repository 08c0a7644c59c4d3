import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'

import { SluiceError } from '@sluice/schema/errors'
import { afterEach, expect, test } from 'vitest'

import { guardedFetch, type Guard, type GuardedRequest } from './guarded-fetch.ts'
import { isPublicAddress } from './public-address.ts'

const open = { allowPrivate: true }
const strict = { allowPrivate: false }

const opened: { close(): void }[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

/** A web server on loopback; answers its port. */
async function serve(listener: RequestListener, host = '127.0.0.1'): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  opened.push({
    close() {
      server.close()
      server.closeAllConnections()
    },
  })
  return (server.address() as AddressInfo).port
}

/** Speaks bytes, for what no web server would say. */
async function serveBytes(text: string): Promise<number> {
  const server = createSocketServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', () => socket.end(text))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push({ close: () => void server.close() })
  return (server.address() as AddressInfo).port
}

function codeOf(address: string, guard: Guard, request: GuardedRequest = {}): Promise<string> {
  return guardedFetch(address, request, guard).then(
    ({ status }) => String(status),
    (error: unknown) => (error instanceof SluiceError ? error.code : String(error)),
  )
}

const resolvingTo =
  (...addresses: string[]) =>
  async () =>
    addresses

test('an answer comes whole, with status, headers and body', async () => {
  const port = await serve((request, response) => {
    request.resume()
    response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'], 'x-method': request.method })
    response.end('made')
  })

  const answer = await guardedFetch(
    `http://127.0.0.1:${port}/hook`,
    { method: 'POST', body: 'ö' },
    open,
  )

  expect(answer.status).toBe(201)
  expect(answer.headers.get('x-method')).toBe('POST')
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(await answer.text()).toBe('made')
})

test('answers without a body are answers', async () => {
  const port = await serve((_request, response) => void response.writeHead(204).end())

  expect(await codeOf(`http://127.0.0.1:${port}/`, open)).toBe('204')
})

test.for([
  'http://127.0.0.1/',
  'http://0.0.0.0/',
  'http://0/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://①②⑦.⓪.⓪.①/',
  'http://10.0.0.1/',
  'http://172.16.3.4/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://168.63.129.16/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://192.0.2.1/',
  'http://[::]/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[64:ff9b::a9fe:a9fe]/',
  'http://[64:ff9b:1::1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:1::1]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fe80::1]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://[2001:db8::1]/',
  'http://[4000::1]/',
  'http://localhost/',
  'http://LOCALHOST./',
])('%s leads nowhere', async (address) => {
  expect(await codeOf(address, strict)).toBe('SLUICE_ADDRESS_NOT_PUBLIC')
})

test('public addresses are public, also those that translate to one', () => {
  const addresses = [
    '93.184.216.34',
    '2606:2800:220:1::1',
    '64:ff9b::5db8:d822',
    '::ffff:5db8:d822',
  ]

  expect(addresses.filter(isPublicAddress)).toEqual(addresses)
  expect(isPublicAddress('not an address')).toBe(false)
})

test('one private address among public ones is enough to refuse the name', async () => {
  const guard = { ...strict, resolve: resolvingTo('93.184.216.34', '10.0.0.1') }

  expect(await codeOf('https://mixed.example.test/', guard)).toBe('SLUICE_ADDRESS_NOT_PUBLIC')
})

test('a name that does not exist answers as one of a private network does', async () => {
  const gone = { ...strict, resolve: resolvingTo() }
  const inside = { ...strict, resolve: resolvingTo('10.1.2.3') }
  const answers = await Promise.allSettled([
    guardedFetch('https://db.corp.example.test/', {}, gone),
    guardedFetch('https://db.corp.example.test/', {}, inside),
  ])

  const [first, second] = answers.map((one) => (one.status === 'rejected' ? one.reason : null))
  expect(first).toMatchObject({ code: 'SLUICE_ADDRESS_NOT_PUBLIC' })
  expect(second).toEqual(first)
})

test('a name is resolved once: one that changes its mind leads to what was checked', async () => {
  const port = await serve(({ headers }, response) => void response.end(headers.host))
  const answers = [['127.0.0.1'], ['127.0.0.99']]
  let asked = 0
  const resolve = async () => answers[asked++] ?? []

  const address = `http://rebind.example.test:${port}/`
  const answer = await guardedFetch(address, {}, { allowPrivate: true, resolve })

  expect(await answer.text()).toBe(`rebind.example.test:${port}`)
  expect(asked).toBe(1)
})

test('a second address is tried where the first does not answer', async () => {
  const port = await serve((_request, response) => void response.end('ok'), '127.0.0.3')
  const guard = { ...open, resolve: resolvingTo('127.0.0.2', '127.0.0.3') }

  expect(await codeOf(`http://two.example.test:${port}/`, guard)).toBe('200')
})

test.for([
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'https://user:password@example.com/',
  'https://example.com:22/',
  'http://example.com:6379/',
  'example.com',
  '/relative',
  '',
  `https://example.com/${'a'.repeat(3_000)}`,
])('%s is no address to ask', async (address) => {
  expect(await codeOf(address, strict)).toBe('SLUICE_ADDRESS_INVALID')
})

test('no redirect is followed', async () => {
  let reached = false
  const inner = await serve((_request, response) => {
    reached = true
    response.end()
  })
  const port = await serve((_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${inner}/` }).end()
  })

  expect(await codeOf(`http://127.0.0.1:${port}/`, open)).toBe('SLUICE_ADDRESS_REDIRECTS')
  expect(reached).toBe(false)
})

test('a huge answer is cut off, announced or not', async () => {
  const endless = await serve((_request, response) => {
    const send = () => {
      while (response.write('x'.repeat(16_384))) if (response.destroyed) return
      response.once('drain', send)
    }
    send()
  })

  const code = await codeOf(`http://127.0.0.1:${endless}/`, open, { bytesMax: 100_000 })
  expect(code).toBe('SLUICE_ADDRESS_ANSWER_TOO_LARGE')
})

test.for([
  ['says nothing', () => undefined],
  ['never ends its body', (response: { write(text: string): void }) => response.write('a')],
] as const)('a server that %s is given up', async ([, act]) => {
  const port = await serve((_request, response) => act(response))

  const code = await codeOf(`http://127.0.0.1:${port}/`, open, { timeoutMs: 300 })
  expect(code).toBe('SLUICE_ADDRESS_TIMEOUT')
})

test('a resolver that says nothing is given up', async () => {
  const { promise } = Promise.withResolvers<string[]>()
  const guard = { ...open, resolve: () => promise }

  expect(await codeOf('http://slow.example.test/', guard, { timeoutMs: 100 })).toBe(
    'SLUICE_ADDRESS_TIMEOUT',
  )
})

test('the caller can stop waiting', async () => {
  const stop = new AbortController()
  const port = await serve(() => stop.abort(new Error('closing')))

  const answer = guardedFetch(`http://127.0.0.1:${port}/`, { signal: stop.signal }, open)
  await expect(answer).rejects.toThrow('closing')
})

test('what is said of a failure is from a closed list', async () => {
  const port = await serveBytes('220 mail.internal ESMTP ready\r\n')
  const answer = guardedFetch(`http://127.0.0.1:${port}/`, {}, open)

  await expect(answer).rejects.toMatchObject({
    code: 'SLUICE_ADDRESS_UNREACHABLE',
    details: { host: `127.0.0.1:${port}`, reason: 'it does not speak HTTP' },
  })
})

test('headers that say whom a message is for, and how long it is, cannot be given', async () => {
  const port = await serve(({ headers }, response) => void response.end(JSON.stringify(headers)))
  const headers = { Host: 'metadata.internal', 'Content-Length': '0', 'X-Own': 'yes' }

  const answer = await guardedFetch(`http://127.0.0.1:${port}/`, { headers, body: 'abc' }, open)

  expect(await answer.json()).toMatchObject({
    host: `127.0.0.1:${port}`,
    'content-length': '3',
    'x-own': 'yes',
    'accept-encoding': 'identity',
  })
})
