import { createServer, type AddressInfo } from 'node:net'

import { openDnsServer } from '@sluice/kit/testing-dns-server'
import { expect, onTestFinished, test } from 'vitest'

import { createAuthority } from '../testing/certificate.ts'
import { openHttpsSite } from '../testing/https-site.ts'
import { checkTls } from './tls-check.ts'

const domain = 'app.example.com'
const authority = createAuthority()
const stranger = createAuthority()

/** Probes a site on loopback that the DNS of the test leads to. */
async function probe(
  credentials: { cert: string; key: string | Buffer } | null,
  overrides: { allowPrivateTargets?: boolean; address?: string; now?: Date } = {},
) {
  const dns = await openDnsServer()
  onTestFinished(() => dns.close())
  dns.a(domain, overrides.address ?? '127.0.0.1')
  const site = credentials ? await openHttpsSite(credentials) : null
  if (site) onTestFinished(() => site.close())
  return checkTls(
    domain,
    {
      dnsServers: [dns.address],
      tlsPort: site?.port ?? 1,
      allowPrivateTargets: overrides.allowPrivateTargets ?? true,
      trustedAuthorities: authority.certificate,
    },
    overrides.now ?? new Date(),
    new AbortController().signal,
  )
}

test('a trusted certificate for the domain is valid, with its expiry and issuer', async () => {
  const check = await probe(authority.issue(domain, { from: -10, to: 80 }))

  expect(check).toMatchObject({ status: 'VALID', issuer: 'Sluice Test Authority', error: null })
  const days = ((check.expiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000
  expect(Math.round(days)).toBe(80)
})

test.for([
  ['90 days', { from: -80, to: 10 }],
  ['6 days', { from: -5, to: 1 }],
] as const)('with a fifth of a life of %s left a certificate is expiring', async ([, days]) => {
  expect(await probe(authority.issue(domain, days))).toMatchObject({ status: 'EXPIRING' })
})

test('six days are plenty for a certificate of seven', async () => {
  const check = await probe(authority.issue(domain, { from: -1, to: 6 }))

  expect(check).toMatchObject({ status: 'VALID' })
})

test('a certificate that has expired is expired', async () => {
  const check = await probe(authority.issue(domain, { from: -90, to: -1 }))

  expect(check).toMatchObject({ status: 'EXPIRED', error: 'the certificate has expired' })
})

test('a certificate for other names does not match', async () => {
  const check = await probe(authority.issue('other.example.com', { from: -1, to: 90 }))

  expect(check.status).toBe('MISMATCH')
  expect(check.error).toContain('other names')
})

test('a certificate of an unknown authority does not match', async () => {
  const check = await probe(stranger.issue(domain, { from: -1, to: 90 }))

  expect(check.status).toBe('MISMATCH')
  expect(check.error).toContain('not trusted')
})

test('a closed port is unreachable, told without an address', async () => {
  expect(await probe(null)).toEqual({
    status: 'UNREACHABLE',
    expiresAt: null,
    issuer: null,
    error: 'the connection was refused',
  })
})

test('a private address is never connected to', async () => {
  const check = await probe(authority.issue(domain, { from: -1, to: 90 }), {
    allowPrivateTargets: false,
  })

  expect(check).toMatchObject({
    status: 'UNREACHABLE',
    error: 'the domain leads to a private address',
  })
})

test('a site that accepts and says nothing is given up', async () => {
  const dns = await openDnsServer()
  const silent = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    await dns.close()
    silent.close()
  })
  dns.a(domain, '127.0.0.1')
  const stop = new AbortController()
  silent.once('connection', () => stop.abort())

  const check = await checkTls(
    domain,
    {
      dnsServers: [dns.address],
      tlsPort: (silent.address() as AddressInfo).port,
      allowPrivateTargets: true,
    },
    new Date(),
    stop.signal,
  )

  expect(check).toMatchObject({ status: 'UNREACHABLE', error: 'it did not answer in time' })
})

test('a domain without an address is unreachable', async () => {
  const dns = await openDnsServer()
  onTestFinished(() => dns.close())
  const options = { dnsServers: [dns.address], tlsPort: 1, allowPrivateTargets: true }

  const check = await checkTls(domain, options, new Date(), new AbortController().signal)

  expect(check).toMatchObject({ status: 'UNREACHABLE', error: 'the domain has no address' })
})
