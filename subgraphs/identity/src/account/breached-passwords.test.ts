import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { silentLog } from '@sluice/kit/log'
import { expect, test } from 'vitest'

import { createBreachedPasswords } from './breached-passwords.ts'

/** SHA-1 of `tr0mbone lagoon`. */
const prefix = 'CE84C'
const suffix = '806DF4C19178D47DB16487908C2BC43FC61'

async function openRange(answer: RequestListener) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/range/`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const codeOf = (work: Promise<void>) =>
  work.then(
    () => 'allowed',
    (error: { code?: string }) => error.code,
  )

test.for(['qwertyuiop', 'QWERTYUIOP', '1234567890'])(
  '%s is refused without asking anybody',
  async (password) => {
    const breached = createBreachedPasswords(null, silentLog)
    expect(await codeOf(breached.assertUnknown(password))).toBe('SLUICE_PASSWORD_BREACHED')
  },
)

test('a password of one’s own is allowed', async () => {
  const breached = createBreachedPasswords(null, silentLog)
  expect(await codeOf(breached.assertUnknown('tr0mbone lagoon'))).toBe('allowed')
})

test('the range service learns five characters of a digest, and its list is kept to', async () => {
  await using range = await openRange((_request, response) => {
    response.end(`${'0'.repeat(35)}:3\r\n${suffix}:12\r\n${'F'.repeat(35)}:0\r\n`)
  })
  const breached = createBreachedPasswords(range.url, silentLog)

  expect(await codeOf(breached.assertUnknown('tr0mbone lagoon'))).toBe('SLUICE_PASSWORD_BREACHED')
  expect(await codeOf(breached.assertUnknown('another tr0mbone lagoon'))).toBe('allowed')
  expect(range.asked[0]).toBe(`/range/${prefix}`)
})

test('padding is no hit', async () => {
  await using range = await openRange((_request, response) => void response.end(`${suffix}:0`))
  const breached = createBreachedPasswords(range.url, silentLog)

  expect(await codeOf(breached.assertUnknown('tr0mbone lagoon'))).toBe('allowed')
})

test.for<[string, RequestListener]>([
  ['fails', (_request, response) => void response.writeHead(500).end()],
  [
    'leads elsewhere',
    (_request, response) => void response.writeHead(302, { location: '/x' }).end(),
  ],
  ['never ends', (_request, response) => void response.write('x')],
  ['floods', (_request, response) => void response.end('x'.repeat(400_000))],
])('a range service that %s keeps nobody from choosing a password', async ([, answer]) => {
  await using range = await openRange(answer)
  const breached = createBreachedPasswords(range.url, silentLog)

  expect(await codeOf(breached.assertUnknown('tr0mbone lagoon'))).toBe('allowed')
})
