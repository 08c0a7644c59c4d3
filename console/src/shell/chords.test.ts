import { expect, test } from 'vitest'

import type { ChordState } from './chords.ts'
import { chordMs, goTo, nextChord } from './chords.ts'

const press = (...keys: (readonly [string, number])[]) => {
  let state: ChordState = { goAtMs: null }
  let last = null
  for (const [key, atMs] of keys) {
    const next = nextChord(state, { key, atMs })
    state = next.state
    last = next.shortcut
  }
  return last
}

test('g and a letter go to a page', () => {
  expect(press(['g', 0], ['t', 400])).toEqual({ kind: 'go', path: 'tunnels' })
})

test('a letter alone, or too long after g, does nothing', () => {
  expect(press(['t', 0])).toBeNull()
  expect(press(['g', 0], ['t', chordMs + 1])).toBeNull()
  expect(press(['g', 0], ['x', 10], ['t', 20])).toBeNull()
})

test('? opens the help and / the filter', () => {
  expect(press(['?', 0])).toEqual({ kind: 'help' })
  expect(press(['/', 0])).toEqual({ kind: 'filter' })
})

test('every page has a letter of its own', () => {
  const paths = Object.values(goTo).map(({ path }) => path)
  expect(new Set(paths).size).toBe(paths.length)
})
