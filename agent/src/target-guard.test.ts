import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type LookupFunction } from 'node:net'

import { expect, test } from 'vitest'

import { createTargetGuard } from './target-guard.ts'

const guard = createTargetGuard()
const check = (host: string) => () => guard.check({ host, port: 80, tls: false })

test.for(['localhost', '127.0.0.1', '::1', '0.0.0.0', '10.1.2.3', '192.168.1.5', 'fd00::5', 'box'])(
  '%s is a target that one may name',
  (host) => {
    expect(check(host)).not.toThrow()
  },
)

test.for([
  '169.254.169.254',
  'fe80::1',
  'fd00:ec2::254',
  '100.100.100.200',
  '168.63.129.16',
  '224.0.0.1',
  '255.255.255.255',
  'ff02::1',
  // The same address in other clothes.
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
])('%s is refused', (host) => {
  expect(check(host)).toThrow(expect.objectContaining({ code: 'SLUICE_TARGET_REFUSED' }))
})

test('what was named on purpose is allowed, and nothing beside it', () => {
  const opened = createTargetGuard(['169.254.169.254', 'fe80::/16'])
  const of = (host: string) => () => opened.check({ host, port: 80, tls: false })

  expect(of('169.254.169.254')).not.toThrow()
  expect(of('::ffff:169.254.169.254')).not.toThrow()
  expect(of('fe80::1')).not.toThrow()
  expect(of('169.254.170.2')).toThrow(/does not forward/)
  expect(() => createTargetGuard(['nonsense'])).toThrow(/--allow-target takes/)
})

/** A resolver whose answers a test writes. */
const resolving = (...answers: string[][]) => {
  const asked: string[] = []
  const resolve = (host: string, _options: object, done: (...args: unknown[]) => void) => {
    asked.push(host)
    const addresses = (answers.shift() ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
    done(null, addresses)
  }
  return { asked, lookup: createTargetGuard([], resolve as never).lookup }
}

const askAll = (lookup: LookupFunction, host: string) =>
  new Promise((settle) => {
    lookup(host, { all: true }, (error, addresses) => settle(error ?? addresses))
  })

test('a name that leads to a refused address, even beside a good one, is not connected to', async () => {
  const { lookup } = resolving(['127.0.0.1', '169.254.169.254'])

  expect(await askAll(lookup, 'metadata.test')).toMatchObject({ code: 'SLUICE_TARGET_REFUSED' })
})

test('a name that changes its address after the check is checked again', async () => {
  const { lookup } = resolving(['127.0.0.1'], ['169.254.169.254'])

  expect(await askAll(lookup, 'rebound.test')).toEqual([{ address: '127.0.0.1', family: 4 }])
  expect(await askAll(lookup, 'rebound.test')).toMatchObject({ code: 'SLUICE_TARGET_REFUSED' })
})

test('the socket goes to the address that was checked: there is no second resolution', async () => {
  const server = createServer((socket) => socket.end('here')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { asked, lookup } = resolving(['127.0.0.1'])

  const socket = connect({ host: 'app.test', port: (server.address() as AddressInfo).port, lookup })
  const [chunk] = await once(socket, 'data')
  server.close()

  expect(String(chunk)).toBe('here')
  expect(asked).toEqual(['app.test'])
})

test('names below localhost are this machine, and a name without an address is not found', async () => {
  const { asked, lookup } = resolving(['127.0.0.1'], [])

  await askAll(lookup, 'app.localhost')
  expect(asked).toEqual(['localhost'])
  expect(await askAll(lookup, 'nowhere.test')).toMatchObject({ code: 'ENOTFOUND' })
})
