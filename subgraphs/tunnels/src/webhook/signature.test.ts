import { expect, test } from 'vitest'

import { createWebhookSecret, signedHeaders } from './signature.ts'

/** As the specification’s own libraries have it in their tests. */
const published = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  message: {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: new Date(1_614_265_330_000),
    body: '{"test": 2432232314}',
  },
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}

test('the published vector is signed as published', () => {
  expect(signedHeaders(published.message, [published.secret])).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': published.signature,
  })
})

test('while two secrets are good there are two signatures', () => {
  const headers = signedHeaders(published.message, [createWebhookSecret(), published.secret])

  expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
  expect(headers['webhook-signature']).toContain(` ${published.signature}`)
})

test('a secret is 32 bytes that every library can decode', () => {
  const secret = createWebhookSecret()

  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(secret).not.toBe(createWebhookSecret())
})
