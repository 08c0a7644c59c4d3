import { createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

import type { AgentTokenClaims } from '@sluice/schema/claims'
import { expect, test } from 'vitest'

import { createWorld, host, type World } from '../testing/world.ts'

const get = (path: string, ...lines: string[]) =>
  ['GET ' + path + ' HTTP/1.1', `Host: ${host}`, 'Connection: close', ...lines, '', ''].join('\r\n')
const post = (body: string, ...lines: string[]) =>
  [
    'POST /hook HTTP/1.1',
    `Host: ${host}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...lines,
    '',
    body,
  ].join('\r\n')

/** A tunnel whose upstream answers with the head and body that it got. */
async function echo(world: World, claims: Partial<AgentTokenClaims>) {
  const upstream = await world.upstream((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      response.setHeader('X-Powered-By', 'tests')
      response.setHeader('Set-Cookie', ['a=1', 'sluice-visit=yes'])
      response.end(JSON.stringify(heardOf(request, Buffer.concat(pieces))))
    })
  })
  return world.tunnel(upstream, claims)
}

interface Heard {
  readonly url: string
  readonly fields: readonly string[]
  readonly body: string
}
const heardOf = ({ url = '', rawHeaders }: IncomingMessage, body: Buffer): Heard => ({
  url,
  fields: rawHeaders,
  body: body.toString('latin1'),
})
const heardIn = (answer: string): Heard =>
  JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1))

test('headers are taken away and added, in both directions, and what is the relay’s stays', async () => {
  await using world = await createWorld()
  await echo(world, {
    policy: {
      requestHeaders: {
        remove: ['Cookie', 'X-Gone', 'X-Forwarded-For'],
        add: [
          ['X-Env', 'one'],
          ['X-Env', 'two'],
          ['Authorization', 'Bearer upstream'],
        ],
      },
      responseHeaders: { remove: ['x-powered-by'], add: [['X-Frame-Options', 'DENY']] },
    },
  })

  const answer = await world.exchange(get('/', 'Cookie: a=1', 'x-gone: 1', 'X-Kept: 1'))

  const { fields } = heardIn(answer)
  expect(fields.join('|')).toContain('X-Env|one|X-Env|two|Authorization|Bearer upstream')
  expect(fields).toContain('X-Kept')
  expect(fields.join('|').toLowerCase()).not.toMatch(/cookie|x-gone/)
  expect(fields.join('|').toLowerCase()).toContain('x-forwarded-for')
  expect(answer).toMatch(/^X-Frame-Options: DENY\r$/m)
  expect(answer).not.toMatch(/x-powered-by/i)
})

test('a head that is too large with what the owner adds is refused whole, never cut', async () => {
  await using world = await createWorld()
  const add = ['X-One', 'X-Two', 'X-Three'].map((name): [string, string] => [
    name,
    'v'.repeat(3_900),
  ])
  await echo(world, { policy: { requestHeaders: { add } } })

  const answer = await world.exchange(get('/', `X-Large: ${'x'.repeat(60_000)}`))
  expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  expect(answer).toContain('SLUICE_REQUEST_HEAD_TOO_LARGE')
  const { fields } = heardIn(await world.exchange(get('/', 'X-Small: x')))
  expect(fields).toContain('X-Three')
  expect(fields.at(-1)).toBe(host)
})

test('of requests that come at once, exactly as many pass as may be served', async () => {
  await using world = await createWorld()
  const held: (() => void)[] = []
  const full = Promise.withResolvers<void>()
  const upstream = await world.upstream((_request, response) => {
    if (held.push(() => response.end('ok')) === 5) full.resolve()
  })
  await world.tunnel(upstream, { maxConcurrentConns: 5 })

  const answers = Array.from({ length: 30 }, () => world.exchange(get('/')))
  const refused: string[] = []
  const twentyFive = Promise.withResolvers<void>()
  for (const answer of answers) {
    void answer.then((text) => {
      if (text.startsWith('HTTP/1.1 429') && refused.push(text) === 25) twentyFive.resolve()
    })
  }
  await Promise.all([full.promise, twentyFive.promise])
  for (const end of held) end()
  const all = await Promise.all(answers)

  expect(all.filter((text) => text.startsWith('HTTP/1.1 200')).length).toBe(5)
  expect(refused[0]).toMatch(/^sluice-error: SLUICE_CONNECTIONS_MAX\r$/m)
  expect(refused[0]).toMatch(/^Retry-After: 1\r$/m)
  // The places are free again.
  expect(await Promise.race([world.exchange(get('/')), freed(held)])).toBe('served')
})

/** The next request reaches the upstream. */
async function freed(held: (() => void)[]): Promise<string> {
  while (held.length < 6) await new Promise((resolve) => setImmediate(resolve))
  return 'served'
}

test('a request too many is told the limit and when to come again', async () => {
  await using world = await createWorld()
  await echo(world, { policy: { requestRate: { perSecond: 0.01, burst: 2 } } })

  const answers = [
    await world.exchange(get('/1')),
    await world.exchange(get('/2')),
    await world.exchange(get('/3')),
  ]

  expect(answers.map((text) => text.slice(9, 12))).toEqual(['200', '200', '429'])
  expect(answers[2]).toMatch(/^sluice-error: SLUICE_REQUESTS_MAX\r$/m)
  expect(answers[2]).toMatch(/^Retry-After: (?:9\d|100)\r$/m)
  expect(answers[2]).toMatch(/^RateLimit-Policy: "tunnel";q=2;w=200\r$/m)
  expect(answers[2]).toMatch(/^RateLimit: "tunnel";r=0;t=(?:9\d|100)\r$/m)
})

test('slow verifiers let in who knows the password, and who does not is told to say it', async () => {
  await using world = await createWorld()
  const { scryptSync } = await import('node:crypto')
  const salt = Buffer.alloc(16, 7)
  const digest = scryptSync('secret', salt, 32, { N: 2 ** 14, r: 8, p: 1 })
  const verifier = `scrypt:14:${salt.toString('hex')}:${digest.toString('hex')}`
  await echo(world, { policy: { basicAuth: [{ user: 'ada', verifier }] } })
  const login = (password: string) =>
    `Authorization: Basic ${Buffer.from(`ada:${password}`).toString('base64')}`

  const passed = await world.exchange(get('/', login('secret')))
  const again = await world.exchange(get('/', login('secret')))
  const wrong = await world.exchange(get('/', login('guess')))

  expect(passed).toMatch(/^HTTP\/1.1 200/)
  expect(heardIn(passed).fields.join()).not.toContain('Authorization')
  expect(again).toMatch(/^HTTP\/1.1 200/)
  expect(wrong).toMatch(/^HTTP\/1.1 401/)
  expect(wrong).toMatch(/^WWW-Authenticate: Basic/m)
})

const secret = 'a secret of the tests'
const signature = (body: string, key = secret) =>
  `X-Hub-Signature-256: sha256=${createHmac('sha256', key).update(body).digest('hex')}`
const github = { policy: { webhook: { provider: 'github', secret } } } as const

test('a webhook that is signed reaches the upstream byte for byte, whole or in chunks', async () => {
  await using world = await createWorld()
  await echo(world, github)
  const body = '{"a" : 1}\r\n \u0001'

  const whole = await world.exchange(post(body, signature(body)))
  const bytes = Buffer.from(body)
  const chunks = [bytes.subarray(0, 3), bytes.subarray(3)]
    .map((piece) => `${piece.length.toString(16)}\r\n${piece.toString()}\r\n`)
    .join('')
  const chunked = await world.exchange(
    [
      'POST /hook HTTP/1.1',
      `Host: ${host}`,
      'Connection: close',
      'Transfer-Encoding: chunked',
      signature(body),
      '',
      `${chunks}0\r\n\r\n`,
    ].join('\r\n'),
  )

  for (const answer of [whole, chunked]) {
    expect(answer).toMatch(/^HTTP\/1.1 200/)
    expect(heardIn(answer).body).toBe(body)
  }
})

test('a webhook that is not signed is refused, and the answer does not say what is wrong', async () => {
  await using world = await createWorld()
  let reached = 0
  const upstream = await world.upstream((_request, response) => {
    reached += 1
    response.end()
  })
  await world.tunnel(upstream, github)

  const answers = [
    await world.exchange(post('{}')),
    await world.exchange(post('{}', signature('{}', 'another'))),
    await world.exchange(post('{}', 'X-Hub-Signature-256: nonsense')),
    await world.exchange(get('/')),
  ]

  const plain = answers.map((text) => text.replace(/^Date: .*\r\n/m, ''))
  expect(plain[0]).toMatch(/^HTTP\/1.1 403/)
  expect(plain[0]).toMatch(/^sluice-error: SLUICE_WEBHOOK_UNVERIFIED\r$/m)
  expect(new Set(plain).size).toBe(1)
  expect(reached).toBe(0)
})

test('a webhook larger than the edge holds is refused, announced or not', async () => {
  await using world = await createWorld()
  await echo(world, github)
  const large = 'x'.repeat(1_048_577)

  const announced = await world.exchange(
    post('', 'Expect: 100-continue').replace('Content-Length: 0', 'Content-Length: 1048577'),
  )
  const chunked = await world.exchange(
    [
      'POST /hook HTTP/1.1',
      `Host: ${host}`,
      'Transfer-Encoding: chunked',
      signature(large),
      '',
      `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
    ].join('\r\n'),
  )

  for (const answer of [announced, chunked]) {
    expect(answer).toMatch(/^HTTP\/1.1 413/)
    expect(answer).toMatch(/^sluice-error: SLUICE_WEBHOOK_TOO_LARGE\r$/m)
  }
})

test('a visitor that waits for a word before its body is asked for it, and the connection goes on', async () => {
  await using world = await createWorld()
  await echo(world, github)
  const visitor = await world.visitor()
  const head = post('{}', signature('{}'), 'Expect: 100-continue')
    .replace('Connection: close\r\n', '')
    .replace(/\{\}$/, '')

  visitor.send(head)
  await visitor.until((received) => received.startsWith('HTTP/1.1 100 Continue\r\n\r\n'))
  visitor.send('{}')
  await visitor.until((received) => received.includes('"body":"{}"'))
  visitor.send(post('{}', signature('{}', 'another')).replace('Connection: close\r\n', ''))
  await visitor.until((received) => received.includes('SLUICE_WEBHOOK_UNVERIFIED'))
  visitor.send(post('[]', signature('[]')))
  const received = await visitor.rest()

  expect(received).toContain('"body":"[]"')
  expect(received).not.toContain('"Expect"')
})

const browser = ['Accept: text/html,*/*', 'Sec-Fetch-Mode: navigate']

test('a browser is asked once per host, goes on where it wanted to, and the upstream sees nothing of it', async () => {
  await using world = await createWorld()
  await echo(world, { policy: { interstitial: true } })

  const asked = await world.exchange(get('/page?x=1&y=2', ...browser))
  const [, number = ''] = /^Set-Cookie: sluice-visit=([\w-]+);/m.exec(asked) ?? []
  const [, onward = ''] = /href="([^"]+)"/.exec(asked) ?? []
  const path = onward.replaceAll('&amp;', '&')
  const went = await world.exchange(get(path, ...browser, `Cookie: sluice-visit=${number}`))
  const served = await world.exchange(
    get('/page?x=1&y=2', ...browser, 'Cookie: b=2; sluice-visit=yes; c=3'),
  )

  expect(asked).toMatch(/^HTTP\/1.1 403/)
  expect(asked).toMatch(/^X-Frame-Options: DENY\r$/m)
  expect(went).toMatch(/^HTTP\/1.1 303/)
  expect(went).toMatch(/^Location: \/page\?x=1&y=2\r$/m)
  expect(went).toMatch(
    /^Set-Cookie: sluice-visit=yes; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax\r$/m,
  )
  expect(served).toMatch(/^HTTP\/1.1 200/)
  expect(heardIn(served).fields.join('|')).toContain('Cookie|b=2; c=3')
  // No upstream confirms in the visitor's place.
  expect(served).toMatch(/^Set-Cookie: a=1\r$/m)
  expect(served).not.toContain('sluice-visit')
})

test('nobody is led past the question by a link, nor anywhere else by its answer', async () => {
  await using world = await createWorld()
  await echo(world, { policy: { interstitial: true } })
  const number = 'A'.repeat(22)
  const confirm = (to: string, cookie: string) =>
    world.exchange(
      get(`/.well-known/sluice-visit?n=${number}&to=${encodeURIComponent(to)}`, ...browser, cookie),
    )

  const linked = await confirm('/', 'Cookie: a=1')
  expect(linked).toMatch(/^HTTP\/1.1 403/)
  for (const to of ['//evil.test', 'https://evil.test', '/\\evil.test', '/a\r\nSet-Cookie: b=1']) {
    const answer = await confirm(to, `Cookie: sluice-visit=${number}`)
    expect(answer).toMatch(/^Location: \/\r$/m)
  }
})

test.for([
  ['a program', get('/')],
  ['a program that says so', get('/', ...browser, 'X-Sluice-Skip-Notice: 1')],
  ['a part of a page', get('/', 'Accept: text/html', 'Sec-Fetch-Mode: cors')],
  ['a POST', post('{}', ...browser)],
] as const)('%s is not asked', async ([, request]) => {
  await using world = await createWorld()
  await echo(world, { policy: { interstitial: true } })

  expect(await world.exchange(request)).toMatch(/^HTTP\/1.1 200/)
})

test('a browser whose tunnel is away gets a page that looks again; a program gets JSON', async () => {
  await using world = await createWorld()
  const agent = await echo(world, {})
  agent.socket.destroy()
  await agent.closed
  const away = async (...lines: string[]) => {
    // The relay hears of the loss a moment later.
    for (;;) {
      const answer = await world.exchange(get('/', ...lines))
      if (answer.startsWith('HTTP/1.1 503 Service Unavailable')) return answer
    }
  }

  const page = await away('Accept: text/html')
  const json = await away('Accept: application/json')

  expect(page).toContain('<meta http-equiv="refresh" content="10">')
  expect(page).toContain('sluice http')
  expect(page).toMatch(/^Retry-After: 5\r$/m)
  expect(JSON.parse(json.slice(json.indexOf('{')))).toMatchObject({ code: 'SLUICE_TUNNEL_OFFLINE' })
})

test('a webhook of many reads is checked and forwarded as it was sent', async () => {
  await using world = await createWorld()
  const { createHash } = await import('node:crypto')
  const upstream = await world.upstream((request, response) => {
    const hash = createHash('sha256')
    request.on('data', (piece: Buffer) => hash.update(piece))
    request.on('end', () => response.end(hash.digest('hex')))
  })
  await world.tunnel(upstream, github)
  const body = Array.from({ length: 1_000_000 }, (_, index) =>
    String.fromCharCode(32 + ((index * 7) % 90)),
  ).join('')

  const answer = await world.exchange(post(body, signature(body)))

  expect(answer).toMatch(/^HTTP\/1.1 200/)
  expect(answer).toContain(createHash('sha256').update(body).digest('hex'))
})
