import { expect, test } from 'vitest'

import { looksLikeTarget, parseTarget, targetText } from './target.ts'

test.for([
  ['3000', 'http://localhost:3000'],
  [':3000', 'http://localhost:3000'],
  ['localhost:8080', 'http://localhost:8080'],
  ['192.168.1.5:80', 'http://192.168.1.5:80'],
  ['[::1]:3000', 'http://[::1]:3000'],
  ['http://app.localhost:5173', 'http://app.localhost:5173'],
  ['http://localhost', 'http://localhost:80'],
  ['https://localhost:8443/', 'https://localhost:8443'],
  ['https://internal.test', 'https://internal.test:443'],
  ['h2c://localhost:50051', 'h2c://localhost:50051'],
  ['h2c://[::1]:50051', 'h2c://[::1]:50051'],
  ['h2://grpc.test', 'h2://grpc.test:443'],
])('%s is forwarded to %s', ([text = '', target]) => {
  expect(targetText(parseTarget(text))).toBe(target)
})

test.for([
  '0',
  '65536',
  'localhost',
  'localhost:',
  'localhost:http',
  '',
  '-1',
  'ftp://localhost:21',
  'http://localhost:3000/api',
  'http://localhost:3000?x=1',
  '3000/api',
  'localhost:3000/api',
  'a b:80',
  'http://',
  'h2c://',
  'h2c://localhost:50051/api',
])('%s is refused as a target', (text) => {
  expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'SLUICE_USAGE' }))
})

test('a password in a target is refused and not repeated', () => {
  let message = ''
  try {
    parseTarget('http://ada:hunter2@localhost:3000')
  } catch (error) {
    message = String(error)
  }

  expect(message).toContain('it holds a password')
  expect(message).not.toContain('hunter2')
})

test('the protocol may be named beside any target', () => {
  expect(parseTarget('50051', 'http2')).toMatchObject({ tls: false, protocol: 'http2' })
  expect(parseTarget('https://grpc.test', 'http2')).toMatchObject({ tls: true, protocol: 'http2' })
  expect(parseTarget('h2c://localhost:80', 'http1')).toMatchObject({ protocol: 'http1' })
  expect(parseTarget('3000')).not.toHaveProperty('protocol')
})

test('only a target needs no command', () => {
  expect(['3000', ':80', 'localhost:3000', 'https://a.test'].map(looksLikeTarget)).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(['login', 'htp', '--json', 'tunnels'].some(looksLikeTarget)).toBe(false)
})
