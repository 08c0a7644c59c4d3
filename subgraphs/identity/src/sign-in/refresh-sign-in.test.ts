import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { openWorld, type World } from '../testing.ts'
import { parallelRefreshMs, refreshSignIn } from './refresh-sign-in.ts'
import { signInIdleMs, signInLifeMs } from './start-sign-in.ts'

async function refresh(world: World, refreshToken: string) {
  const { context, cookie } = world.request({ refreshToken })
  let accessToken = ''
  const outcome = await refreshSignIn(context).then(
    (signedIn) => {
      ;({ accessToken } = signedIn)
      return signedIn.user.id
    },
    (error: { code: string }) => error.code,
  )
  return { outcome, cookie: cookie() ?? '', accessToken }
}

/** What a console does with an answer as soon as it has arrived. */
async function use(world: World, { accessToken }: { accessToken: string }): Promise<void> {
  const credential = { kind: 'sign-in', token: accessToken } as const
  await authenticate(world.deps, { credential, ip: '' })
}

test('each refresh replaces the token and goes on as the same user', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  const first = await refresh(world, ada.refreshToken)
  const second = await refresh(world, first.cookie)

  expect([first.outcome, second.outcome]).toEqual([ada.userId, ada.userId])
  expect(new Set([ada.refreshToken, first.cookie, second.cookie]).size).toBe(3)
})

test('tabs that refresh at once stay signed in and share the next token', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  const tabs = await Promise.all([1, 2, 3, 4].map(() => refresh(world, ada.refreshToken)))
  const next = await refresh(world, tabs[0]?.cookie ?? '')

  expect(tabs.map(({ outcome }) => outcome)).toEqual(tabs.map(() => ada.userId))
  expect(new Set(tabs.map(({ cookie }) => cookie)).size).toBe(1)
  expect(next.outcome).toBe(ada.userId)
  expect(world.revoked).toEqual([])
})

test('a token that was replaced earlier ends the whole sign-in, its successor included', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const answer = await refresh(world, ada.refreshToken)
  await use(world, answer)
  world.pass(parallelRefreshMs + 1)
  const reader = await ada.context()

  const stolen = await refresh(world, ada.refreshToken)
  const owners = await refresh(world, answer.cookie)

  expect(stolen).toMatchObject({ outcome: 'SLUICE_SIGN_IN_REUSED', cookie: '' })
  expect(owners).toMatchObject({ outcome: 'SLUICE_UNAUTHENTICATED', cookie: '' })
  expect(world.revoked).toEqual([`sign-in:${ada.refreshToken.split('.')[0]}`])
  expect(await reader.em.count(AuditEntry, { action: 'sign-in.reused' })).toBe(1)
})

test('a thief who takes part in the seconds of parallel refreshes is found out at the next one', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const owners = await refresh(world, ada.refreshToken)
  const thiefs = await refresh(world, ada.refreshToken)
  await use(world, await refresh(world, thiefs.cookie))
  world.pass(parallelRefreshMs + 1)

  const { outcome } = await refresh(world, owners.cookie)

  expect(outcome).toBe('SLUICE_SIGN_IN_REUSED')
})

test('an answer that never arrived signs nobody out, however often and however late', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  const outcomes = []
  for (let lost = 0; lost < 5; lost += 1) {
    outcomes.push(await refresh(world, ada.refreshToken))
    world.pass(25 * 60_000)
  }
  const arrived = await refresh(world, ada.refreshToken)
  await use(world, arrived)
  const next = await refresh(world, arrived.cookie)

  const all = [...outcomes, arrived, next]
  expect(all.map(({ outcome }) => outcome)).toEqual(all.map(() => ada.userId))
  // Each answer took the place of the one before, so that no two good tokens are about.
  expect(new Set(all.map(({ cookie }) => cookie)).size).toBe(all.length)
  expect(world.revoked).toEqual([])
})

test('of two who each have an answer to one token, the one that came first is found out', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const thiefs = await refresh(world, ada.refreshToken)
  world.pass(parallelRefreshMs + 1)
  const owners = await refresh(world, ada.refreshToken)

  const outcomes = [await refresh(world, thiefs.cookie), await refresh(world, owners.cookie)]

  expect(outcomes.map(({ outcome }) => outcome)).toEqual([
    'SLUICE_SIGN_IN_REUSED',
    'SLUICE_UNAUTHENTICATED',
  ])
})

test('tabs that ask again at once after a lost answer share the next token', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  await refresh(world, ada.refreshToken)
  world.pass(parallelRefreshMs + 1)

  const tabs = await Promise.all([1, 2, 3, 4].map(() => refresh(world, ada.refreshToken)))
  await use(world, tabs[0] ?? { accessToken: '' })
  const late = await refresh(world, ada.refreshToken)

  const all = [...tabs, late]
  expect(all.map(({ outcome }) => outcome)).toEqual(all.map(() => ada.userId))
  expect(new Set(all.map(({ cookie }) => cookie)).size).toBe(1)
})

test('a token two refreshes old is reuse even within those seconds', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { cookie } = await refresh(world, ada.refreshToken)
  await refresh(world, cookie)

  expect((await refresh(world, ada.refreshToken)).outcome).toBe('SLUICE_SIGN_IN_REUSED')
})

test('a made-up token ends nobody’s sign-in', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const [signInId] = ada.refreshToken.split('.')
  await refresh(world, ada.refreshToken)

  const outcomes = []
  for (const made of [
    '',
    'x',
    `${signInId}.0.${'A'.repeat(43)}`,
    `${signInId}.7.${'A'.repeat(43)}`,
  ]) {
    outcomes.push((await refresh(world, made)).outcome)
  }

  expect(new Set(outcomes)).toEqual(new Set(['SLUICE_UNAUTHENTICATED']))
  expect(world.revoked).toEqual([])
  expect((await ada.context()).principal.kind).toBe('user')
})

test('a sign-in that is not used ends, and one that is used ends in time too', async () => {
  await using world = await openWorld()
  const idle = await world.person()
  const busy = await world.person()
  let token = busy.refreshToken
  const steps = signInLifeMs / signInIdleMs
  for (let step = 0; step < steps; step += 1) {
    world.pass(signInIdleMs - 1)
    token = (await refresh(world, token)).cookie
  }

  expect((await refresh(world, idle.refreshToken)).outcome).toBe('SLUICE_UNAUTHENTICATED')
  world.pass(steps)
  expect((await refresh(world, token)).outcome).toBe('SLUICE_UNAUTHENTICATED')
})
