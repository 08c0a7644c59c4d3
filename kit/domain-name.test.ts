import { expect, test } from 'vitest'

import { parseDomainName } from './domain-name.ts'

const ownApexes = ['tunnel.sluice.test', 'console.sluice.test']
const parse = (text: string) => parseDomainName(text, ownApexes)

test.for([
  ['app.example.com', 'app.example.com'],
  ['  App.EXAMPLE.com. ', 'app.example.com'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
  ['a.b.c.d.example.co.uk', 'a.b.c.d.example.co.uk'],
  ['example.com', 'example.com'],
  ['0x7f.example.com', '0x7f.example.com'],
  ['nottunnel.sluice.test', 'nottunnel.sluice.test'],
])('%s is stored as %s', ([text = '', canonical]) => {
  expect(parse(text)).toBe(canonical)
})

test.for([
  '',
  '.',
  'localhost',
  'app.localhost',
  'printer.local',
  'single',
  '127.0.0.1',
  '0x7f000001',
  '2130706433.0.0.1',
  '0x7f.1',
  '[::1]',
  '::1',
  'example.123',
  'co.uk',
  'com.au',
  '*.example.com',
  '_dmarc.example.com',
  '-a.example.com',
  'a-.example.com',
  'a..example.com',
  'a.example.com..',
  'exa mple.com',
  'example.com/path',
  'example.com:443',
  'https://example.com',
  'user@example.com',
  'xn--a.example\u0000.com',
  'tunnel.sluice.test',
  'shop.TUNNEL.sluice.test.',
  'console.sluice.test',
  'example.com?a',
  'example.com#a',
  'example.com%2Ea',
])('%s is refused', (text) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'SLUICE_DOMAIN_INVALID' }))
})

test.for([
  ['a label of 64 characters', `${'a'.repeat(64)}.example.com`],
  ['a name too long for the TXT record in front of it', `${'a.'.repeat(113)}example.com`],
  ['a text of 100,000 characters', 'a'.repeat(100_000)],
])('%s is refused', ([, text = '']) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'SLUICE_DOMAIN_INVALID' }))
})
