import { expect, test } from 'vitest'

import type { Problem } from '../graph/problem.ts'
import type { RefreshAnswer } from './sign-in.ts'
import { createSignIn, refreshLeadMs, retryFirstMs } from './sign-in.ts'

const problem = (code: string): Problem => ({
  code,
  title: code,
  cause: '',
  fix: '',
  docsUrl: null,
})

/** A sign-in under a clock of its own, whose refreshes are answered by hand. */
function createScene() {
  let nowMs = Date.parse('2026-11-21T12:00:00Z')
  let timer: { fire: () => void; atMs: number } | null = null
  const asked: ((answer: RefreshAnswer) => void)[] = []
  const signIn = createSignIn({
    refresh: () => new Promise((resolve) => asked.push(resolve)),
    now: () => nowMs,
    setTimer(fire, delayMs) {
      const mine = { fire, atMs: nowMs + delayMs }
      timer = mine
      return () => {
        if (timer === mine) timer = null
      }
    },
  })
  const grant = (seconds = 900, userId = 'u1') => ({
    accessToken: `token until ${nowMs + seconds * 1000}`,
    expiresAt: new Date(nowMs + seconds * 1000).toISOString(),
    userId,
  })
  return {
    signIn,
    asked,
    grant,
    timerInMs: () => (timer ? timer.atMs - nowMs : null),
    pass: (ms: number) => {
      nowMs += ms
      if (timer && timer.atMs <= nowMs) {
        const { fire } = timer
        timer = null
        fire()
      }
    },
    answer: async (answer: RefreshAnswer) => {
      asked.shift()?.(answer)
      await Promise.resolve()
      await Promise.resolve()
    },
  }
}

test('a first visit without a cookie ends at the sign-in page, without a complaint', async () => {
  const { signIn, answer } = createScene()
  void signIn.start()
  await answer({ kind: 'refused', problem: problem('SLUICE_UNAUTHENTICATED') })
  expect(signIn.state()).toEqual({ kind: 'out', problem: null })
})

test('a refresh token that was used twice is told to the member', async () => {
  const { signIn, answer } = createScene()
  void signIn.start()
  await answer({ kind: 'refused', problem: problem('SLUICE_SIGN_IN_REUSED') })
  expect(signIn.state()).toMatchObject({ kind: 'out', problem: { code: 'SLUICE_SIGN_IN_REUSED' } })
})

test('the access token is replaced a minute before it ends', async () => {
  const scene = createScene()
  scene.signIn.accept(scene.grant(900))
  expect(scene.timerInMs()).toBe(900_000 - refreshLeadMs)

  scene.pass(900_000 - refreshLeadMs)
  await scene.answer({ kind: 'granted', grant: scene.grant(900) })

  expect(await scene.signIn.freshToken()).toBe(scene.grant(900).accessToken)
})

test('all who ask at once share one refresh, for a second one would end the sign-in', async () => {
  const scene = createScene()
  scene.signIn.accept(scene.grant(900))
  scene.pass(0)
  const tokens = [scene.signIn.refresh(), scene.signIn.refresh(), scene.signIn.refresh()]

  expect(scene.asked).toHaveLength(1)
  await scene.answer({ kind: 'granted', grant: scene.grant(1_800) })
  await Promise.all(tokens)
  expect(scene.signIn.token()).toBe(scene.grant(1_800).accessToken)
})

test('a network that is gone does not sign anybody out', async () => {
  const scene = createScene()
  scene.signIn.accept(scene.grant(900))
  void scene.signIn.refresh()
  await scene.answer({ kind: 'unreachable', problem: problem('SLUICE_GATEWAY_UNREACHABLE') })

  expect(scene.signIn.state()).toEqual({ kind: 'in', userId: 'u1' })
  expect(scene.timerInMs()).toBe(retryFirstMs)
})

test('attempts to reach the server grow rarer, and the first success clears the trouble', async () => {
  const scene = createScene()
  void scene.signIn.start()
  const waits: (number | null)[] = []
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await scene.answer({ kind: 'unreachable', problem: problem('SLUICE_GATEWAY_UNREACHABLE') })
    expect(scene.signIn.state().kind).toBe('unreachable')
    waits.push(scene.timerInMs())
    await Promise.resolve()
    scene.pass(scene.timerInMs() ?? 0)
  }
  await scene.answer({ kind: 'granted', grant: scene.grant() })

  expect(waits).toEqual([retryFirstMs, retryFirstMs * 2, retryFirstMs * 4])
  expect(scene.signIn.state()).toEqual({ kind: 'in', userId: 'u1' })
})

test('an answer that was under way does not undo a sign-out', async () => {
  const scene = createScene()
  scene.signIn.accept(scene.grant())
  void scene.signIn.refresh()
  scene.signIn.end()
  await scene.answer({ kind: 'granted', grant: scene.grant() })

  expect(scene.signIn.state()).toEqual({ kind: 'out', problem: null })
  expect(scene.signIn.token()).toBeNull()
  expect(scene.timerInMs()).toBeNull()
})

test('nobody refreshes after a sign-out', async () => {
  const scene = createScene()
  scene.signIn.end()
  expect(await scene.signIn.freshToken()).toBeNull()
  expect(scene.asked).toHaveLength(0)
})

test('a token about to end is not handed out', async () => {
  const scene = createScene()
  scene.signIn.accept(scene.grant(5))
  const token = scene.signIn.freshToken()
  await scene.answer({ kind: 'unreachable', problem: problem('SLUICE_GATEWAY_UNREACHABLE') })
  expect(await token).toBeNull()
})

test('a sign-in that the server ended says why', async () => {
  const scene = createScene()
  scene.signIn.accept(scene.grant())
  void scene.signIn.refresh()
  await scene.answer({ kind: 'refused', problem: problem('SLUICE_UNAUTHENTICATED') })
  expect(scene.signIn.state()).toMatchObject({
    kind: 'out',
    problem: { code: 'SLUICE_UNAUTHENTICATED' },
  })
})
