import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'

import { silentLog, type Log } from '@sluice/kit/log'
import { expect, onTestFinished, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { apex, createWorld, host, type World } from '../testing/world.ts'
import type { Certificate } from './certificate.ts'
import { openStaticCertificates } from './static-certificates.ts'

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-certificates-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function write(folder: string, cert: string, key: string, pair: Certificate): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, cert), pair.cert)
  writeFileSync(join(folder, key), pair.key)
}

/** Never looks by itself while a test runs. */
async function open(directory: string, log: Log = silentLog) {
  const own = undefined
  const certificates = await openStaticCertificates({ own, directory, log, pollMs: 3_600_000 })
  onTestFinished(() => certificates.close())
  return certificates
}

test('pairs of a folder are found in all the forms that tools write them', async () => {
  const folder = folderOf()
  const [flat, pem, certbot, kubernetes] = ['a.test', 'b.test', 'c.test', 'd.test'].map((one) =>
    selfSigned(one),
  )
  if (!flat || !pem || !certbot || !kubernetes) throw new TypeError('unreachable')
  write(folder, 'a.crt', 'a.key', flat)
  write(folder, 'b.pem', 'b.key', pem)
  write(join(folder, 'c'), 'fullchain.pem', 'privkey.pem', certbot)
  write(join(folder, 'd'), 'tls.crt', 'tls.key', kubernetes)
  writeFileSync(join(folder, 'README.txt'), 'no certificate')
  mkdirSync(join(folder, 'empty'))

  const certificates = await open(folder)

  expect([...certificates.all().keys()]).toEqual(['a', 'b', 'c', 'd'])
  expect(certificates.find('c.test')?.cert).toBe(certbot.cert)
})

test('a star stands for one label, and a name of its own goes before it', async () => {
  const folder = folderOf()
  const [wide, own] = [selfSigned('wide.test'), selfSigned('app.wide.test')]
  write(folder, 'wide.crt', 'wide.key', wide)
  write(folder, 'own.crt', 'own.key', own)

  const certificates = await open(folder)
  const find = (name: string) => certificates.find(name)

  expect(find('other.wide.test')?.cert).toBe(wide.cert)
  expect(find('wide.test')?.cert).toBe(wide.cert)
  expect(find('app.wide.test')?.cert).toBe(own.cert)
  expect(find('x.other.wide.test')).toBeUndefined()
  expect(find('test')).toBeUndefined()
})

test('what cannot be read is served as it was, and complained of once', async () => {
  const folder = folderOf()
  const first = selfSigned('a.test')
  write(folder, 'a.crt', 'a.key', first)
  const complaints: string[] = []
  const log = {
    ...silentLog,
    info: () => undefined,
    warn: (_fields: object, text: string) => complaints.push(text),
  }
  const certificates = await open(folder, log as unknown as Log)

  // A renewal in progress: the certificate is new, the key is not yet.
  const second = selfSigned('a.test')
  writeFileSync(join(folder, 'a.crt'), second.cert)
  await certificates.reload()
  await certificates.reload()
  const during = certificates.find('a.test')?.cert
  writeFileSync(join(folder, 'a.key'), second.key)
  await certificates.reload()

  expect(during).toBe(first.cert)
  expect(complaints).toEqual(['a certificate was not read'])
  expect(certificates.find('a.test')?.cert).toBe(second.cert)
})

test('a pair that is gone is served no longer', async () => {
  const folder = folderOf()
  write(folder, 'a.crt', 'a.key', selfSigned('a.test'))
  const certificates = await open(folder)
  rmSync(join(folder, 'a.key'))

  await certificates.reload()

  expect(certificates.find('a.test')).toBeUndefined()
})

test('a change is noticed without being told', async () => {
  const folder = folderOf()
  const [first, second] = [selfSigned('a.test'), selfSigned('a.test')]
  write(join(folder, 'a'), 'tls.crt', 'tls.key', first)
  const options = { own: undefined, directory: folder, log: silentLog, pollMs: 20 }
  const certificates = await openStaticCertificates(options)
  onTestFinished(() => certificates.close())

  // As volumes of secrets do it: the whole folder at once.
  write(join(folder, '.next'), 'tls.crt', 'tls.key', second)
  renameSync(join(folder, 'a'), join(folder, '.old'))
  renameSync(join(folder, '.next'), join(folder, 'a'))

  while (certificates.find('a.test')?.cert !== second.cert) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(certificates.find('a.test')?.key).toBe(second.key)
})

test('the relay’s own certificate must be readable at the start', async () => {
  const folder = folderOf()
  write(folder, 'a.crt', 'a.key', selfSigned('a.test'))
  const own = { certPath: join(folder, 'a.crt'), keyPath: join(folder, 'none.key') }

  await expect(
    openStaticCertificates({ own, directory: undefined, log: silentLog }),
  ).rejects.toThrow(/ENOENT/)
})

const get = (connection: string) =>
  `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: ${connection}\r\n\r\n`

async function fingerprintAt(world: World): Promise<string | undefined> {
  const visitor = await world.tlsVisitor({ servername: host, rejectUnauthorized: false })
  const { fingerprint256 } = (visitor.socket as TLSSocket).getPeerCertificate()
  visitor.socket.destroy()
  return fingerprint256
}

test('a new certificate is shown to new connections, and open ones never notice', async () => {
  const folder = folderOf()
  const paths = { certPath: join(folder, 'own.crt'), keyPath: join(folder, 'own.key') }
  const first = selfSigned(apex)
  write(folder, 'own.crt', 'own.key', first)
  await using world = await createWorld({ httpsPort: 0, certificate: paths })
  await world.tunnel(await world.upstream((_request, response) => response.end('reached')))
  const kept = await world.tlsVisitor({ ca: first.cert, servername: host })
  kept.send(get('keep-alive'))
  await kept.until((received) => received.endsWith('reached'))
  const before = await fingerprintAt(world)

  write(folder, 'own.crt', 'own.key', selfSigned(apex))
  await world.relay.reload()
  const after = await fingerprintAt(world)
  kept.received = ''
  kept.send(get('close'))

  expect(await kept.rest()).toMatch(/^HTTP\/1\.1 200 [^]*reached/)
  expect(after).not.toBe(before)
  const metrics = await fetch(`http://127.0.0.1:${world.relay.adminPort}/metrics`)
  expect(await metrics.text()).toMatch(
    /sluice_relay_certificate_expiry_timestamp_seconds\{certificate="default",part="relay"\} \d{10}/,
  )
})
