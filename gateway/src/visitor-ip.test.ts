import type { IncomingMessage } from 'node:http'

import { expect, test } from 'vitest'

import { createVisitorIp } from './visitor-ip.ts'

function requestFrom(remoteAddress: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage
}

test('no proxy is believed by default', () => {
  expect(createVisitorIp([])(requestFrom('::ffff:10.0.0.1', '1.2.3.4'))).toBe('10.0.0.1')
})

test('behind our own proxies the last foreign address counts, not what the client wrote before it', () => {
  const visitorIpOf = createVisitorIp(['10.0.0.0/8', '::1'])

  expect(visitorIpOf(requestFrom('10.0.0.1', '6.6.6.6, 1.2.3.4, 10.0.0.2'))).toBe('1.2.3.4')
  expect(visitorIpOf(requestFrom('::1', '2001:db8::7'))).toBe('2001:db8::7')
  expect(visitorIpOf(requestFrom('9.9.9.9', '1.2.3.4'))).toBe('9.9.9.9')
  expect(visitorIpOf(requestFrom('10.0.0.1', 'nonsense'))).toBe('10.0.0.1')
  expect(visitorIpOf(requestFrom('10.0.0.1'))).toBe('10.0.0.1')
})
