import type { TLSSocket } from 'node:tls'

import { silentLog } from '@sluice/kit/log'
import { redisChannels } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { ControlPlane } from '../testing/control-plane.ts'
import { apex, createWorld, host, type World } from '../testing/world.ts'
import { readCertificate, type ServedCertificate } from './certificate.ts'
import {
  openFetchedCertificates,
  type FetchCertificate,
  type FetchedCertificatesOptions,
} from './fetched-certificates.ts'

const domain = 'shop.example.test'
const certificateOf = (name = domain) => readCertificate(selfSigned(name))

/** A control plane of these tests, one promise per question. */
function open(options: Partial<FetchedCertificatesOptions> = {}) {
  const asked: {
    name: string
    answer: (certificate?: ServedCertificate) => void
    fail: () => void
  }[] = []
  const fetch: FetchCertificate = (name) => {
    const { promise, resolve, reject } = Promise.withResolvers<ServedCertificate | undefined>()
    asked.push({ name, answer: resolve, fail: () => reject(new Error('away')) })
    return promise
  }
  const fetched = openFetchedCertificates({
    fetch,
    isKnown: async () => true,
    log: silentLog,
    ...options,
  })
  onTestFinished(() => fetched.close())
  return {
    asked,
    find: (name: string) => fetched.find(name),
    changed: (name: string) => fetched.changed(name),
  }
}

const turn = () => new Promise(setImmediate)

test('many who ask for one domain at once are one question, and the answer is kept', async () => {
  const { find, asked } = open()
  const certificate = certificateOf()

  const answers = Array.from({ length: 100 }, () => find(domain))
  await turn()
  asked[0]?.answer(certificate)

  expect(await Promise.all(answers.map(async (one) => one))).toEqual(answers.map(() => certificate))
  expect(find(domain)).toBe(certificate)
  expect(asked).toHaveLength(1)
})

test('that there is none is kept as well, until it is said to have changed', async () => {
  const { find, changed, asked } = open()
  const first = find(domain)
  await turn()
  asked[0]?.answer()
  await first

  const second = find(domain)
  changed(domain)
  const third = find(domain)
  await turn()
  asked[1]?.answer(certificateOf())

  expect(second).toBeUndefined()
  expect(await third).toBeDefined()
  expect(asked).toHaveLength(2)
})

test('a name that no tunnel has is not asked for', async () => {
  const { find, asked } = open({ isKnown: async () => false })

  expect(await find(domain)).toBeUndefined()
  expect(asked).toEqual([])
})

test('a changed certificate is fetched behind the visitors’ backs, and the old one served meanwhile', async () => {
  const { find, changed, asked } = open()
  const [first, second] = [certificateOf(), certificateOf()]
  const found = find(domain)
  await turn()
  asked[0]?.answer(first)
  await found

  changed(domain)
  const meanwhile = find(domain)
  asked[1]?.answer(second)
  await turn()

  expect(meanwhile).toBe(first)
  expect(find(domain)).toBe(second)
})

test('a change during a question asks once more: the answer may be from before', async () => {
  const { find, changed, asked } = open()
  const [first, second] = [certificateOf(), certificateOf()]
  const found = find(domain)
  await turn()
  changed(domain)
  asked[0]?.answer(first)
  await found
  await turn()
  asked[1]?.answer(second)
  await turn()

  expect(find(domain)).toBe(second)
})

test('a removed certificate is served no longer once that is known', async () => {
  const { find, changed, asked } = open()
  const found = find(domain)
  await turn()
  asked[0]?.answer(certificateOf())
  await found

  changed(domain)
  asked[1]?.answer()
  await turn()

  expect(find(domain)).toBeUndefined()
})

test('while the control plane is away what is held is served, and asked for again later', async () => {
  const { find, changed, asked } = open()
  const certificate = certificateOf()
  const found = find(domain)
  await turn()
  asked[0]?.answer(certificate)
  await found

  changed(domain)
  asked[1]?.fail()
  await turn()

  expect(find(domain)).toBe(certificate)
  expect(asked).toHaveLength(2)
})

test('an answer grows old, and the next visitor asks for it anew without waiting', async () => {
  const { find, asked } = open({ freshMs: 1 })
  const certificate = certificateOf()
  const found = find(domain)
  await turn()
  asked[0]?.answer(certificate)
  await found
  await new Promise((resolve) => setTimeout(resolve, 5))

  expect(find(domain)).toBe(certificate)
  expect(asked).toHaveLength(2)
})

test('a question that takes too long keeps no handshake waiting', async () => {
  const { find } = open({ waitMs: 10 })

  expect(await find(domain)).toBeUndefined()
})

test('few questions are under way at once, and past a limit no more are taken on', async () => {
  const { find, asked } = open({ waitMs: 1_000 })
  const answers = Array.from({ length: 300 }, (_, index) => find(`d${index}.example.test`))
  await turn()
  const first = asked.length
  for (let answered = 0; answered < 208; answered += 1) {
    asked[answered]?.answer()
    await turn()
  }

  expect(first).toBe(8)
  expect(await Promise.all(answers.map(async (one) => one))).toEqual(answers.map(() => undefined))
  expect(asked).toHaveLength(208)
})

const get = `GET / HTTP/1.1\r\nHost: ${domain}\r\nConnection: close\r\n\r\n`

async function servedAt(world: World, certificate: { cert: string }): Promise<string> {
  const visitor = await world.tlsVisitor({ ca: certificate.cert, servername: domain })
  visitor.send(get)
  return visitor.rest()
}

async function worldWith(plane: ControlPlane): Promise<World> {
  const world = await createWorld({
    httpsPort: 0,
    certificate: selfSigned(apex),
    redisUrl: inject('redisUrl'),
    registration: {
      gatewayUrl: plane.url,
      relayKey: 'slrk_test',
      edgeUrl: `ws://edge.${apex}/_sluice/session`,
      publicHttpUrl: `http://${apex}`,
    },
  })
  await world.tunnel(await world.upstream((_request, response) => response.end('reached')), {
    endpointHosts: [host, domain],
  })
  return world
}

test('a custom domain is served with its own certificate, also when the control plane is gone', async () => {
  await using plane = await new ControlPlane().listen()
  const certificate = selfSigned(domain)
  plane.certificates.set(domain, certificate)
  await using world = await worldWith(plane)

  expect(await servedAt(world, certificate)).toMatch(/^HTTP\/1\.1 200 [^]*reached/)
  plane.mood = 'away'
  expect(await servedAt(world, certificate)).toMatch(/^HTTP\/1\.1 200 [^]*reached/)
  expect(plane.certificatesAsked).toEqual([domain])
})

test('an announcement brings the new certificate to all who come after it', async () => {
  await using plane = await new ControlPlane().listen()
  const [first, second] = [selfSigned(domain), selfSigned(domain)]
  plane.certificates.set(domain, first)
  await using world = await worldWith(plane)
  await servedAt(world, first)
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())

  plane.certificates.set(domain, second)
  while ((await redis.publish(redisChannels.certificates, JSON.stringify({ domain }))) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await plane.until(() => plane.certificatesAsked.length > 1)

  for (;;) {
    const visitor = await world.tlsVisitor({ servername: domain, rejectUnauthorized: false })
    const { fingerprint256 } = (visitor.socket as TLSSocket).getPeerCertificate()
    visitor.socket.destroy()
    if (fingerprint256 === readCertificate(second).fingerprint) break
  }
  expect(await servedAt(world, second)).toMatch(/^HTTP\/1\.1 200 /)
})
