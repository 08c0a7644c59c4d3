import { expect, test } from 'vitest'

import { config } from './config.ts'

test('a relay makes its own certificate below localhost, and nowhere else unless it is told to', () => {
  expect(config({}).selfSigned).toBe(true)
  expect(config({ RELAY_APEX: 'tunnels.example.net' }).selfSigned).toBe(false)
  expect(config({ RELAY_APEX: 'notlocalhost' }).selfSigned).toBe(false)
  expect(
    config({ RELAY_APEX: 'tunnels.example.net', RELAY_TLS_SELF_SIGNED: 'true' }).selfSigned,
  ).toBe(true)
})

test('half a pair of certificate files is a mistake, not a relay without TLS', () => {
  for (const one of ['RELAY_TLS_CERT_PATH', 'RELAY_TLS_KEY_PATH']) {
    expect(() => config({ [one]: '/etc/tls.pem' })).toThrow(/belong together/)
  }
  const both = { RELAY_TLS_CERT_PATH: '/etc/tls.crt', RELAY_TLS_KEY_PATH: '/etc/tls.key' }
  expect(config(both).certificate).toEqual({ certPath: '/etc/tls.crt', keyPath: '/etc/tls.key' })
})

test('plain HTTP is redirected only where a port to redirect to is named', () => {
  expect(config({}).redirectPort).toBeUndefined()
  expect(config({ RELAY_HTTPS_REDIRECT_PORT: '443' }).redirectPort).toBe(443)
})
