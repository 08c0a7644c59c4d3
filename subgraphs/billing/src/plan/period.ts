/** What an organization uses is counted and limited per period. `end` is the first instant of the next one. */
export interface Period {
  start: Date
  end: Date
}

/**
 * The period that holds `at`. Periods are calendar months in UTC, beginning at 00:00 on the day of the month on which
 * the subscription started, or on the last day of a month that has no such day.
 */
export function periodOf(startedAt: Date, at: Date): Period {
  const day = startedAt.getUTCDate()
  const month = monthOf(at)
  const beginsThisMonth = beginningIn(month, day) <= at
  const first = beginsThisMonth ? month : month - 1
  return { start: beginningIn(first, day), end: beginningIn(first + 1, day) }
}

/** Months since year 0. */
function monthOf(at: Date): number {
  return at.getUTCFullYear() * 12 + at.getUTCMonth()
}

function beginningIn(month: number, day: number): Date {
  const year = Math.floor(month / 12)
  const daysInMonth = new Date(Date.UTC(year, (month % 12) + 1, 0)).getUTCDate()
  return new Date(Date.UTC(year, month % 12, Math.min(day, daysInMonth)))
}
