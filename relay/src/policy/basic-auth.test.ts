import { createHash, scryptSync } from 'node:crypto'

import { expect, test } from 'vitest'

import { BasicAuth } from './basic-auth.ts'
import { PasswordChecks } from './password-checks.ts'

const salt = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const header = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** A verifier as tunnels makes it, cheaper so that the tests stay quick. */
function slow(password: string, logN = 10): string {
  const digest = scryptSync(password, salt, 32, { N: 2 ** logN, r: 8, p: 1 })
  return `scrypt:${logN}:${salt.toString('hex')}:${digest.toString('hex')}`
}
function quick(password: string): string {
  const digest = createHash('sha256').update(salt).update(password).digest('hex')
  return `sha256:${salt.toString('hex')}:${digest}`
}

const visitorIp = '192.0.2.1'

test('each of several users proves a password of its own, and nobody the password of another', async () => {
  const checks = new PasswordChecks()
  const auth = new BasicAuth([
    { user: 'ada', verifier: slow('one') },
    { user: 'grace', verifier: slow('two:with:colons') },
  ])

  expect(await auth.check(header('ada', 'one'), visitorIp, checks)).toBe('passes')
  expect(await auth.check(header('grace', 'two:with:colons'), visitorIp, checks)).toBe('passes')
  expect(await auth.check(header('ada', 'two:with:colons'), visitorIp, checks)).toBe('refused')
  expect(await auth.check(header('grace', 'one'), visitorIp, checks)).toBe('refused')
  expect(await auth.check(header('nobody', 'one'), visitorIp, checks)).toBe('refused')
})

test('a slow verifier is computed once per Authorization value, right or wrong', async () => {
  const checks = new PasswordChecks()
  const auth = new BasicAuth([{ user: 'ada', verifier: slow('one') }])

  expect(auth.check(header('ada', 'one'), visitorIp, checks)).toBeInstanceOf(Promise)
  await auth.check(header('ada', 'one'), visitorIp, checks)
  await auth.check(header('ada', 'wrong'), visitorIp, checks)

  // From now on the answer is there at once.
  expect(auth.check(header('ada', 'one'), visitorIp, checks)).toBe('passes')
  expect(auth.check(header('ada', 'wrong'), visitorIp, checks)).toBe('refused')
})

test('verifiers of an earlier release go on working', () => {
  const auth = new BasicAuth([{ user: 'ada', verifier: quick('one') }])

  expect(auth.check(header('ada', 'one'), visitorIp, new PasswordChecks())).toBe('passes')
  expect(auth.check(header('ada', 'two'), visitorIp, new PasswordChecks())).toBe('refused')
})

test('an unknown user is computed like a known one, so that the time tells nothing', () => {
  const auth = new BasicAuth([{ user: 'ada', verifier: slow('one') }])

  expect(auth.check(header('eve', 'one'), visitorIp, new PasswordChecks())).toBeInstanceOf(Promise)
})

test('one address has so many attempts, another address and a known password have theirs', async () => {
  const checks = new PasswordChecks()
  const auth = new BasicAuth([{ user: 'ada', verifier: quick('one') }])
  void auth.check(header('ada', 'one'), visitorIp, checks)

  const answers = Array.from({ length: 60 }, (_, index) =>
    auth.check(header('ada', `guess ${index}`), visitorIp, checks),
  )

  expect(answers.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 'refused'))
  expect(answers.at(-1)).toBe('limited')
  expect(auth.check(header('ada', 'one'), visitorIp, checks)).toBe('passes')
  expect(auth.check(header('ada', 'a guess'), '192.0.2.2', checks)).toBe('refused')
})

test('an IPv6 visitor cannot multiply its attempts within its network', () => {
  const checks = new PasswordChecks()
  for (let index = 0; index < 60; index += 1) checks.mayTry(`2001:db8:1:2::${index}`)

  expect(checks.mayTry('2001:db8:1:2:aaaa::1')).toBe(false)
  expect(checks.mayTry('2001:db8:1:3::1')).toBe(true)
})

test('too many checks at once are turned away rather than queued without end', async () => {
  const checks = new PasswordChecks()
  const verifier = { logN: 10, salt, digest: Buffer.alloc(32) }
  const proofs = Array.from({ length: 100 }, () => checks.proves([verifier], 'x'))

  expect(proofs.filter((one) => one === undefined).length).toBeGreaterThan(50)
  await Promise.all(proofs.filter((one) => one !== undefined))
  expect(checks.proves([verifier], 'x')).toBeInstanceOf(Promise)
})

test.for([
  '',
  'Basic',
  'Basic !!!',
  'Bearer abc',
  `Basic ${Buffer.from('nocolon').toString('base64')}`,
])('what is no credentials is refused without computing: %j', (authorization) => {
  const auth = new BasicAuth([{ user: 'ada', verifier: slow('one') }])

  expect(auth.check(authorization, visitorIp, new PasswordChecks())).toBe('refused')
})

test.for(['', 'plain', 'scrypt:31:00:00', `scrypt:14:${'00'.repeat(16)}:00`, 'md5:00:00'])(
  'a verifier that cannot be read lets nobody in: %j',
  async (verifier) => {
    const auth = new BasicAuth([{ user: 'ada', verifier }])

    expect(await auth.check(header('ada', ''), visitorIp, new PasswordChecks())).toBe('refused')
  },
)
