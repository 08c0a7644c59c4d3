import { useEffect, useState } from 'react'

const refreshMs = 30_000

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium' })
const clock = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

/** `3 minutes ago`, `in 2 days`, `now`. */
export function agoOf(iso: string, nowMs: number): string {
  const seconds = (Date.parse(iso) - nowMs) / 1000
  const [unit, size] = steps.find((step) => Math.abs(seconds) >= step[1]) ?? ['second', 1]
  if (unit === 'second')
    return Math.abs(seconds) < 10 ? 'now' : relative.format(Math.round(seconds), unit)
  return relative.format(Math.trunc(seconds / size), unit)
}

export function dayOf(iso: string): string {
  return day.format(Date.parse(iso))
}

export function clockOf(iso: string): string {
  return clock.format(Date.parse(iso))
}

/** A time as its distance from now; the exact one is a hover away. */
export function Ago({ at }: { at: string }) {
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const id = setInterval(() => setNowMs(Date.now()), refreshMs)
    return () => clearInterval(id)
  }, [])
  return (
    <time dateTime={at} title={exact.format(Date.parse(at))} style={{ whiteSpace: 'nowrap' }}>
      {agoOf(at, nowMs)}
    </time>
  )
}
