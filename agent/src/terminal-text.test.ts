import { expect, test } from 'vitest'

import { bytesText, durationText } from './figures.ts'
import { cutText, fitText, plainText, textColumns } from './terminal-text.ts'

test.for([
  '\u001B[2J',
  '\u001B]0;title\u0007',
  '\u009B31m',
  'a\rb',
  'a\nb',
  '\u202Etxt.exe',
  '\u200B',
])('%j cannot steer the terminal', (text) => {
  // oxlint-disable-next-line no-control-regex -- what must not be there
  expect(plainText(text)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E\u200B]/)
})

test('wide characters take two columns, and a cut never exceeds the room', () => {
  expect(textColumns('日本')).toBe(4)
  expect(textColumns('e\u0301')).toBe(1)
  expect(cutText('日本語', 4)).toBe('日…')
  expect(cutText('abc', 3)).toBe('abc')
  expect(cutText('abcd', 3)).toBe('ab…')
  expect(cutText('abcd', 0)).toBe('')
  expect(fitText('日本語', 4)).toBe('日… ')
  expect(fitText('7', 3, 'right')).toBe('  7')
})

test('figures stay short', () => {
  expect([0, 999, 1000, 1536, 12_582_912, 5e12].map(bytesText)).toEqual([
    '0 B',
    '999 B',
    '1.0 KiB',
    '1.5 KiB',
    '12 MiB',
    '4.5 TiB',
  ])
  expect([0.42, 12.4, 1200, 185_000].map(durationText)).toEqual([
    '0.4 ms',
    '12 ms',
    '1.20 s',
    '3 m 05 s',
  ])
})
