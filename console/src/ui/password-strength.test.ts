import { expect, test } from 'vitest'

import { scoreOf } from './password-strength.ts'

test('what everybody uses is weak, and words that do not belong together are strong', () => {
  expect(scoreOf('password1234')).toBeLessThan(2)
  expect(scoreOf('qwertyuiop')).toBeLessThan(2)
  expect(scoreOf('lagoon trumpet sixteen mosaic')).toBe(4)
  expect(scoreOf('x'.repeat(200))).toBeLessThan(3)
})
