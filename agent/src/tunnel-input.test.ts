import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { startTunnelInput } from './tunnel-input.ts'

test('without a policy flag no policy is sent, so that the stored one stays', () => {
  expect(startTunnelInput({ name: 'app' }, {})).toEqual({ name: 'app' })
})

test('a password may hold colons and comes from argv, environment or file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-input-'))
  const file = join(folder, 'logins')
  await writeFile(file, '# team\nbob:p1\n\ncarol:p2:x\r\n')

  const { policy } = startTunnelInput(
    { basicAuth: ['ada:pw:1', 'env:LOGIN', `@${file}`] },
    { LOGIN: 'eve:secret' },
  )
  await rm(folder, { recursive: true })

  expect(policy?.basicAuth).toEqual([
    { user: 'ada', password: 'pw:1' },
    { user: 'eve', password: 'secret' },
    { user: 'bob', password: 'p1' },
    { user: 'carol', password: 'p2:x' },
  ])
})

test.for(['nopassword', ':pw', 'ada:', 'env:MISSING', '@/does/not/exist'])(
  'basic auth %s is refused',
  (text) => {
    expect(() => startTunnelInput({ basicAuth: [text] }, {})).toThrow(
      expect.objectContaining({ code: 'SLUICE_USAGE' }),
    )
  },
)

test('a malformed login in the environment is not repeated in the failure', () => {
  const ask = () => startTunnelInput({ basicAuth: ['env:LOGIN'] }, { LOGIN: 'hunter2' })

  expect(ask).toThrow('--basic-auth takes')
  expect(ask).not.toThrow('hunter2')
})

test('networks are addresses or blocks', () => {
  const good = ['203.0.113.7', '10.0.0.0/8', '2001:db8::/32', '::1']
  expect(startTunnelInput({ allowIp: good }, {}).policy?.allowIps).toEqual(good)

  for (const bad of [
    '10.0.0.0/33',
    '10.0.0',
    'example.com',
    '::1/129',
    '10.0.0.0/8/8',
    '1.2.3.4/',
  ]) {
    expect(() => startTunnelInput({ denyIp: [bad] }, {})).toThrow('--deny-ip takes')
  }
})

test('a Host header cannot carry a second header', () => {
  expect(() => startTunnelInput({ hostHeader: 'a\r\nx: y' }, {})).toThrow('--host-header')
})
