import { setImmediate } from 'node:timers/promises'

import { forkSystem } from '@sluice/kit/database'
import { expect, test } from 'vitest'

import { principalOfSignIn } from '../authenticate/principal-of.ts'
import { openWorld, testPassword, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { createPasswords } from './password.ts'
import { refreshSignIn } from './refresh-sign-in.ts'
import { signIn } from './sign-in.ts'

const samplesOfEach = 24

/** How long each of them takes in the middle of many tries that alternate, in ms. */
async function medianMs<Name extends string>(
  tries: Record<Name, () => Promise<unknown>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(tries) as Name[]
  const times = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let sample = 0; sample < samplesOfEach; sample += 1) {
    // What a busy machine takes meanwhile, it takes from all of them alike; none is always the first.
    for (let index = 0; index < names.length; index += 1) {
      const name = names[(index + sample) % names.length] as Name
      await setImmediate()
      const startedAt = performance.now()
      await tries[name]()
      times.get(name)?.push(performance.now() - startedAt)
    }
  }
  return Object.fromEntries(
    names.map((name) => {
      const sorted = (times.get(name) ?? []).toSorted((a, b) => a - b)
      return [name, sorted[Math.floor(sorted.length / 2)] ?? 0]
    }),
  ) as Record<Name, number>
}

/** A wrong password from an address of its own, so that no limit answers instead. */
async function fail(world: World, email: string): Promise<void> {
  const { context } = world.request()
  await expect(signIn(context, email, 'not the password')).rejects.toMatchObject({
    code: 'SLUICE_SIGN_IN_FAILED',
  })
}

test('how long a refusal takes does not tell who has an account', async () => {
  await using world = await openWorld()
  // The real argon2: its slowness is what an unknown address must cost, too.
  Object.assign(world.deps, { passwords: createPasswords() })
  const known = await world.person('Ada')
  const byProvider = await world.person('Grace')
  await forkSystem(world.db.orm).nativeUpdate(
    User,
    { id: byProvider.userId },
    { passwordHash: null },
  )
  await fail(world, 'warm-up@example.test')

  const median = await medianMs({
    known: () => fail(world, known.email),
    unknown: () => fail(world, 'nobody@example.test'),
    withoutPassword: () => fail(world, byProvider.email),
  })

  // Without the work for nobody a refusal takes a tenth: queries are all that is left of it.
  for (const name of ['unknown', 'withoutPassword'] as const) {
    expect(median[name] / median.known).toBeGreaterThan(0.4)
    expect(median[name] / median.known).toBeLessThan(2.5)
  }
})

test('a sign-in that somebody planted in a browser is never the victim’s', async () => {
  await using world = await openWorld()
  const attacker = await world.person('Mallory')
  const victim = await world.person('Ada')

  // The browser has the attacker's cookie when the victim signs in.
  const { context, cookie } = world.request({ refreshToken: attacker.refreshToken })
  await signIn(context, victim.email, testPassword)

  const planted = world.request({ refreshToken: attacker.refreshToken })
  await refreshSignIn(planted.context)
  expect(cookie()).not.toBe(attacker.refreshToken)
  expect(context.principal.userId).toBe(victim.userId)
  expect(planted.context.principal.userId).toBe(attacker.userId)
  expect(planted.context.principal.signInId).not.toBe(context.principal.signInId)
})

test('each sign-in is a new one: no id or token is chosen by the client or used again', async () => {
  await using world = await openWorld()
  const person = await world.person('Ada')
  const seen = new Set<string>()

  for (let round = 0; round < 5; round += 1) {
    const chosen = `${crypto.randomUUID()}.0.${'a'.repeat(43)}`
    const { context, cookie } = world.request({ refreshToken: chosen })
    await signIn(context, person.email, testPassword)
    const { signInId } = context.principal
    expect(chosen).not.toContain(signInId)
    seen.add(signInId ?? '').add(cookie() ?? '')
  }

  expect(seen.size).toBe(10)
})

test('an id of a sign-in is worth nothing with another user', async () => {
  await using world = await openWorld()
  const [ada, mallory] = [await world.person('Ada'), await world.person('Mallory')]
  const { principal } = await ada.context()

  const stolen = await principalOfSignIn(
    forkSystem(world.db.orm),
    { userId: mallory.userId, signInId: principal.signInId ?? '' },
    world.deps.now(),
  )

  expect(stolen).toBeNull()
})
