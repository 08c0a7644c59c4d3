import { tokenIssuer } from '@sluice/schema/claims'
import { expect, onTestFinished, test, vi } from 'vitest'

import {
  createInternalSigner,
  createInternalVerifier,
  internalKeyOverlapMs,
  type InternalKey,
} from './internal-token.ts'
import { anonymous } from './principal.ts'
import { generatePrivateJwks, openSigningKeys, publicJwksOf } from './signing-keys.ts'

const hourMs = 3_600_000
const person = { ...anonymous, kind: 'user' as const, id: 'u' }
const waiting = { timeout: 15_000 }
const refused = expect.objectContaining({ code: 'SLUICE_UNAUTHENTICATED' })

async function openWorld() {
  const jwks = await generatePrivateJwks(1)
  const roots = await openSigningKeys(jwks)
  let nowMs = Date.now()
  const heard: InternalKey[] = []
  const failures: unknown[] = []
  const signer = createInternalSigner(roots, {
    everyMs: hourMs,
    now: () => nowMs,
    onFailed: (error) => failures.push(error),
  })
  const verify = createInternalVerifier(publicJwksOf(jwks), 'billing', {
    onKey: (key) => heard.push(key),
    now: () => nowMs,
  })
  const now = () => new Date(nowMs)
  return { jwks, roots, signer, verify, heard, failures, now, pass: (ms: number) => (nowMs += ms) }
}

/** Each a token of its own: equal principals would share one. */
let count = 0
const another = () => ({ ...person, id: `u${(count += 1)}` })

test('a gateway signs with a key of its own, and makes the next one in time without a gap', async () => {
  const { jwks, signer, verify, heard, pass } = await openWorld()
  const first = await signer.headerFor(another(), 'billing')
  expect(await verify(first)).toMatchObject({ kind: 'user' })
  await verify(await signer.headerFor(another(), 'billing'))
  expect(heard).toHaveLength(1)
  expect(heard[0]?.replaces).toBeNull()
  expect(jwks.keys.map(({ kid }) => kid)).not.toContain(heard[0]?.kid)

  pass(hourMs)
  await expect
    .poll(
      async () => {
        await verify(await signer.headerFor(another(), 'billing'))
        return heard.length
      },
      { timeout: 15_000 },
    )
    .toBe(2)

  expect(heard[1]?.replaces).toBe(heard[0]?.kid)
  expect(await verify(first)).toMatchObject({ kind: 'user' })
})

test('asked for another key, a gateway makes one at once, and the one before is refused after the overlap', async () => {
  const { signer, verify, heard, now, pass } = await openWorld()
  const cached = another()
  await verify(await signer.headerFor(cached, 'billing'))
  // Signed before, and shown for the first time later, as a thief would.
  const [early, late] = [
    await signer.headerFor(another(), 'billing'),
    await signer.headerFor(another(), 'billing'),
  ]
  const askedAt = now()

  signer.renewAskedAt(askedAt)
  await expect
    .poll(async () => {
      await verify(await signer.headerFor(cached, 'billing'))
      return heard.length
    }, waiting)
    .toBe(2)
  signer.renewAskedAt(askedAt)
  pass(internalKeyOverlapMs - 1)
  await verify(early)
  pass(1)

  await expect(verify(late)).rejects.toEqual(refused)
  await verify(await signer.headerFor(another(), 'billing'))
  expect(heard).toHaveLength(2)
  expect(heard[1]).toMatchObject({ replaces: heard[0]?.kid, askedAt })
})

test('a gateway that heard of nothing and is refused makes another key, and is known again', async () => {
  // Certificates tell by the clock when they were made.
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const { jwks, signer: deaf, verify, now, pass } = await openWorld()
  await verify(await deaf.headerFor(another(), 'billing'))
  pass(1_000)
  vi.setSystemTime(now())
  const told = createInternalSigner(await openSigningKeys(jwks), { everyMs: hourMs })
  told.renewAskedAt(now())
  await verify(await told.headerFor(another(), 'billing'))
  const isKnown = async () =>
    verify(await deaf.headerFor(another(), 'billing')).then(
      () => true,
      () => false,
    )
  expect(await isKnown()).toBe(true)

  pass(internalKeyOverlapMs)
  vi.setSystemTime(now())
  expect(await isKnown()).toBe(false)
  deaf.renewRefused()
  deaf.renewRefused()

  await expect.poll(isKnown, waiting).toBe(true)
})

test('a token is of no use to another subgraph, and none is taken from keys that nobody has certified', async () => {
  const { jwks, roots, signer, verify } = await openWorld()
  const foreignRoots = await openSigningKeys(await generatePrivateJwks(1))
  const claims = { iss: tokenIssuer, aud: 'billing', principal: person }
  const [own] = (await generatePrivateJwks(1)).keys
  if (!own) throw new Error('no key')
  const certify = (by: typeof roots, typ: string, seconds: number) =>
    by.sign(typ, { iss: tokenIssuer, kid: own.kid, x: own.x, replaces: null }, seconds)
  const signWith = async (crt: string, keys = { keys: [own] }) =>
    (await openSigningKeys(keys, { crt })).sign('internal+jwt', claims, 60)
  const good = await certify(roots, 'internal-key+jwt', 60)
  expect(await verify(await signWith(good))).toMatchObject({ kind: 'user' })

  for (const forged of [
    await signer.headerFor(person, 'domains'),
    await createInternalSigner(foreignRoots, { everyMs: hourMs }).headerFor(person, 'billing'),
    // Somebody else's certificate, a certificate that is over, and tokens in the place of certificates.
    await signWith(good, await generatePrivateJwks(1)),
    await signWith(await certify(roots, 'internal-key+jwt', -1)),
    await signWith(await certify(roots, 'internal+jwt', 60)),
    await signWith(await signer.headerFor(person, 'billing')),
    await signWith('x'.repeat(2_000)),
    // A certificate is no token.
    await certify(roots, 'internal-key+jwt', 60),
  ]) {
    await expect(verify(forged)).rejects.toEqual(refused)
  }
  expect(jwks.keys).toHaveLength(1)
})

test('while no new key can be made the one before goes on', async () => {
  const { roots, verify } = await openWorld()
  const failures: unknown[] = []
  let nowMs = Date.now()
  let signed = 0
  const faulty = {
    ...roots,
    sign: (...args: Parameters<typeof roots.sign>) => {
      signed += 1
      return signed === 1 ? roots.sign(...args) : Promise.reject(new Error('no entropy'))
    },
  }
  const signer = createInternalSigner(faulty, {
    everyMs: hourMs,
    now: () => nowMs,
    onFailed: (error) => failures.push(error),
  })
  await verify(await signer.headerFor(another(), 'billing'))

  nowMs += hourMs
  expect(await verify(await signer.headerFor(another(), 'billing'))).toMatchObject({ kind: 'user' })
  await expect.poll(() => failures.length, { timeout: 15_000 }).toBe(1)
  expect(await verify(await signer.headerFor(another(), 'billing'))).toMatchObject({ kind: 'user' })
})
