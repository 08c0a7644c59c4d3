import { expect, test } from 'vitest'

import { periodOf } from './period.ts'

test.for([
  // started, at, start, end
  ['2026-11-05T17:30:00Z', '2026-11-21T12:00:00Z', '2026-11-05', '2026-12-05'],
  ['2026-11-05T17:30:00Z', '2026-11-05T17:30:00Z', '2026-11-05', '2026-12-05'],
  ['2026-11-05T17:30:00Z', '2026-12-04T23:59:59.999Z', '2026-11-05', '2026-12-05'],
  ['2026-11-05T17:30:00Z', '2026-12-05T00:00:00Z', '2026-12-05', '2027-01-05'],
  ['2026-01-31T08:00:00Z', '2026-02-15T00:00:00Z', '2026-01-31', '2026-02-28'],
  ['2026-01-31T08:00:00Z', '2026-02-28T00:00:00Z', '2026-02-28', '2026-03-31'],
  ['2026-01-31T08:00:00Z', '2026-03-30T00:00:00Z', '2026-02-28', '2026-03-31'],
  ['2028-02-29T08:00:00Z', '2029-02-28T08:00:00Z', '2029-02-28', '2029-03-29'],
  ['2026-12-31T23:59:59Z', '2027-01-01T00:00:00Z', '2026-12-31', '2027-01-31'],
  ['2026-11-05T17:30:00Z', '2026-10-20T00:00:00Z', '2026-10-05', '2026-11-05'],
])('started %s, the period at %s is %s to %s', ([started = '', at = '', start, end]) => {
  const period = periodOf(new Date(started), new Date(at))

  expect(period).toEqual({
    start: new Date(`${start}T00:00:00Z`),
    end: new Date(`${end}T00:00:00Z`),
  })
})

test('periods follow each other without gap or overlap, whatever the day', () => {
  for (let day = 1; day <= 31; day += 1) {
    const started = new Date(Date.UTC(2026, 0, day, 13))
    let period = periodOf(started, started)
    for (let month = 0; month < 60; month += 1) {
      const next = periodOf(started, period.end)
      const last = periodOf(started, new Date(period.end.getTime() - 1))

      expect(next.start).toEqual(period.end)
      expect(last).toEqual(period)
      period = next
    }
  }
})
