import { expect, test } from 'vitest'

import { paypalFixture } from './paypal-fixture.ts'
import { isCertificateUrl, Paypal, publicKeyOf } from './paypal.ts'
import type { Webhook } from './signature.ts'

const { webhookId, time, certificate } = paypalFixture
const url = 'https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270'
const nowMs = Date.parse(time)

function signed(changes: Record<string, string> = {}, body = paypalFixture.body): Webhook {
  const fields: Record<string, string> = {
    'paypal-transmission-id': paypalFixture.transmissionId,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': paypalFixture.signature,
    'paypal-auth-algo': 'SHA256withRSA',
    'paypal-cert-url': url,
    ...changes,
  }
  return { values: (name) => [fields[name] ?? []].flat(), body: Buffer.from(body) }
}

function paypal(pem: string | Error = certificate) {
  const asked: string[] = []
  const fetchCertificate = async (from: string) => {
    asked.push(from)
    if (pem instanceof Error) throw pem
    return pem
  }
  return { asked, check: new Paypal({ fetchCertificate }) }
}

test('what PayPal signed passes, and its certificate is read once', async () => {
  const { asked, check } = paypal()

  expect(await check.fault(webhookId, signed(), nowMs)).toBeUndefined()
  expect(await check.fault(webhookId, signed(), nowMs)).toBeUndefined()
  expect(asked).toEqual([url])
})

test('another body, webhook id, time or algorithm is refused', async () => {
  const { check } = paypal()

  expect(await check.fault(webhookId, signed({}, '{}'), nowMs)).toBe('mismatch')
  expect(await check.fault('another', signed(), nowMs)).toBe('mismatch')
  expect(
    await check.fault(
      webhookId,
      signed({ 'paypal-transmission-time': '2026-11-22T12:00:01Z' }),
      nowMs,
    ),
  ).toBe('mismatch')
  expect(await check.fault(webhookId, signed({ 'paypal-auth-algo': 'none' }), nowMs)).toBe(
    'malformed',
  )
  expect(await check.fault(webhookId, signed({ 'paypal-transmission-sig': '' }), nowMs)).toBe(
    'missing',
  )
})

test('a delivery of four days ago, or of tomorrow, is stale', async () => {
  const { check } = paypal()

  expect(await check.fault(webhookId, signed(), nowMs + 2 * 86_400_000)).toBeUndefined()
  expect(await check.fault(webhookId, signed(), nowMs + 4 * 86_400_000)).toBe('stale')
  expect(await check.fault(webhookId, signed(), nowMs - 600_000)).toBe('stale')
})

test.for([
  'http://api.paypal.com/v1/notifications/certs/CERT-1',
  'https://api.paypal.com.evil.test/v1/notifications/certs/CERT-1',
  'https://evil.test/v1/notifications/certs/CERT-1',
  'https://www.paypal.com/v1/notifications/certs/CERT-1',
  'https://api.paypal.com:8443/v1/notifications/certs/CERT-1',
  'https://api.paypal.com@evil.test/v1/notifications/certs/CERT-1',
  'https://api.paypal.com/v1/notifications/certs/../../../redirect',
  'https://api.paypal.com/v1/notifications/certs/CERT-1?to=evil',
  'https://api.paypal.com/other/CERT-1',
  'not a url',
])('a certificate is never read from %s', async (from) => {
  const { asked, check } = paypal()

  expect(isCertificateUrl(from)).toBe(false)
  expect(await check.fault(webhookId, signed({ 'paypal-cert-url': from }), nowMs)).toBe(
    'certificate',
  )
  expect(asked).toEqual([])
})

test('a certificate that cannot be read refuses, and is not asked for with every request', async () => {
  const { asked, check } = paypal(new Error('away'))

  expect(await check.fault(webhookId, signed(), nowMs)).toBe('certificate')
  expect(await check.fault(webhookId, signed(), nowMs)).toBe('certificate')
  expect(asked.length).toBe(1)
})

test('a certificate of another name, or one that has expired, is not PayPal’s', () => {
  expect(() => publicKeyOf(paypalFixture.foreign, nowMs)).toThrow('not a certificate of PayPal')
  expect(() => publicKeyOf(certificate, Date.UTC(2999, 0))).toThrow('expired')
  expect(() => publicKeyOf('', nowMs)).toThrow('no certificate')
})

test('a relay without a way out verifies with the certificate that it was given', async () => {
  const check = new Paypal({
    certificate,
    fetchCertificate: () => Promise.reject(new Error('nothing is fetched')),
  })

  expect(await check.fault(webhookId, signed(), nowMs)).toBeUndefined()
})
