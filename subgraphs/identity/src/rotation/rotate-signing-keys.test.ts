import { forkSystem } from '@sluice/kit/database'
import { openKeyRing, SigningKey, type KeyRing } from '@sluice/kit/key-ring'
import { silentLog } from '@sluice/kit/log'
import { generatePrivateJwks } from '@sluice/kit/signing-keys'
import { decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'

import { createAccessTokens } from '../sign-in/access-token.ts'
import { openWorld, type World } from '../testing.ts'
import { openSigningKeyRotation } from './rotate-signing-keys.ts'
import { SecretRotation } from './secret-rotation.entity.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

/** One replica with keys of the environment, whose published document can be held back. */
async function replicaOf(world: World, everyDays: number | null = 90) {
  const roots = await generatePrivateJwks(2)
  const { now } = world.deps
  const options = { orm: world.db.orm, roots, now, log: silentLog }
  const ring = await openKeyRing(options)
  let published: KeyRing['publicJwks'] | null = null
  const rotation = openSigningKeyRotation({
    ...options,
    everyDays,
    published: async () => structuredClone((published ?? ring.publicJwks) as never),
    onChanged: () => ring.read(),
    wakeOutbox: () => undefined,
  })
  const tokens = createAccessTokens(ring)
  const ids = [crypto.randomUUID(), crypto.randomUUID()] as const
  return {
    roots,
    ring,
    rotation,
    tokens,
    issue: async () => (await tokens.issue(...ids)).text,
    freeze: () => void (published = ring.publicJwks),
    thaw: () => void (published = null),
    async after(ms: number) {
      world.pass(ms)
      await ring.read()
      await rotation.tick()
    },
    shown: () => ring.publicJwks.keys.map(({ kid }) => kid),
    async [Symbol.asyncDispose]() {
      ring.close()
      await rotation.close()
    },
  }
}
const kidOf = (text: string) => decodeProtectedHeader(text).kid

test('a key is shown before it signs, verified by what is published, and the old one fades out', async () => {
  await using world = await openWorld()
  await using replica = await replicaOf(world)
  await replica.after(0)
  const before = await replica.issue()
  const [root] = replica.roots.keys

  await replica.after(90 * dayMs)
  const waiting = await replica.issue()
  const shownEarly = replica.shown()
  await replica.after(11 * minuteMs)
  const after = await replica.issue()

  expect([kidOf(before), kidOf(waiting)]).toEqual([root?.kid, root?.kid])
  expect(shownEarly).toHaveLength(3)
  expect(shownEarly).toContain(kidOf(after))
  expect(kidOf(after)).not.toBe(root?.kid)
  await expect(replica.tokens.verify(before)).resolves.toBeDefined()
  const em = forkSystem(world.db.orm)
  expect(await em.find(SecretRotation, {})).toMatchObject([
    { kind: 'signing-key', secretId: root?.kid, successorId: kidOf(after), by: null },
  ])
  expect(
    await em.execute(
      `select payload->>'id' as id from identity.outbox_event where name = 'signing-key.activated'`,
    ),
  ).toEqual([{ id: kidOf(after) }])

  await replica.after(3 * dayMs)
  expect(replica.shown()).toEqual([kidOf(after)])
  await expect(replica.tokens.verify(before)).rejects.toMatchObject({
    code: 'SLUICE_UNAUTHENTICATED',
  })
})

test('a key that the published document does not show never signs', async () => {
  await using world = await openWorld()
  await using replica = await replicaOf(world)
  await replica.after(0)
  replica.freeze()

  await replica.after(90 * dayMs)
  world.pass(11 * minuteMs)
  await expect(replica.rotation.tick()).rejects.toThrow(/no applicable key/)

  expect(kidOf(await replica.issue())).toBe(replica.roots.keys[0]?.kid)
  replica.thaw()
  await replica.after(minuteMs)
  expect(kidOf(await replica.issue())).not.toBe(replica.roots.keys[0]?.kid)
})

test('of replicas that look at once one begins; by hand nobody begins a second', async () => {
  await using world = await openWorld()
  await using replica = await replicaOf(world)
  await replica.after(0)
  world.pass(90 * dayMs)

  await Promise.all([replica.rotation.tick(), replica.rotation.tick(), replica.rotation.tick()])
  const again = await forkSystem(world.db.orm).transactional((em) =>
    replica.rotation.begin(em, null, ''),
  )

  const em = forkSystem(world.db.orm)
  const waiting = await em.find(SigningKey, { activeFrom: null })
  expect(waiting.map(({ id }) => id)).toEqual([again.successorId])
})

test('who has the database alone can sign nothing, and other keys of the environment void what was', async () => {
  await using world = await openWorld()
  await using replica = await replicaOf(world)
  await replica.after(0)
  await replica.after(90 * dayMs)
  await replica.after(11 * minuteMs)
  const before = await replica.issue()
  await using other = await replicaOf(world, null)
  await forkSystem(world.db.orm).execute(
    `update identity.signing_key set public_key = ? where sealed <> ''`,
    [other.roots.keys[0]?.x],
  )
  await replica.ring.read()
  // A public half of somebody else beside a key of ours is not believed.
  expect(replica.shown()).toEqual(replica.roots.keys.map(({ kid }) => kid))

  const em = forkSystem(world.db.orm)
  const rows = JSON.stringify(await em.execute(`select * from identity.signing_key`))
  for (const { d } of replica.roots.keys) expect(rows).not.toContain(d)
  expect(other.shown()).toEqual(other.roots.keys.map(({ kid }) => kid))
  expect(kidOf(await other.issue())).toBe(other.roots.keys[0]?.kid)
  await expect(other.tokens.verify(before)).rejects.toMatchObject({
    code: 'SLUICE_UNAUTHENTICATED',
  })
})
