import { expect, test } from 'vitest'

import { bytesText, countText, durationText, priceText } from './figures.ts'
import { agoOf } from './time.tsx'

test.for([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [10 * 1024 ** 3, '10 GiB'],
  [5_000 * 1024 ** 4, '5000 TiB'],
] as const)('%i bytes read as %s', ([bytes, text]) => {
  expect(bytesText(bytes)).toBe(text)
})

test.for([
  [0.84, '0.8 ms'],
  [42.4, '42 ms'],
  [1_340, '1.3 s'],
  [61_000, '1 min 1 s'],
] as const)('%d ms read as %s', ([ms, text]) => {
  expect(durationText(ms)).toBe(text)
})

test('prices come from the smallest unit, also where there is none', () => {
  expect([
    priceText(0, 'EUR'),
    priceText(2_900, 'EUR'),
    priceText(990, 'USD'),
    priceText(500, 'JPY'),
  ]).toEqual(['Free', '€29', '$9.90', '¥500'])
})

test('large counts are short', () => {
  expect([countText(84_210), countText(5_000_000)]).toEqual(['84,210', '5M'])
})

test('times are told from now', () => {
  const nowMs = Date.parse('2026-11-21T12:00:00Z')
  const told = ['2026-11-21T11:59:55Z', '2026-11-21T11:57:00Z', '2026-11-23T12:00:00Z'].map((iso) =>
    agoOf(iso, nowMs),
  )
  expect(told).toEqual(['now', '3 minutes ago', 'in 2 days'])
})
