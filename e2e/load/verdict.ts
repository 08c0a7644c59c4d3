import { readFileSync, writeFileSync } from 'node:fs'

interface Threshold {
  readonly min?: number
  readonly max?: number
}

/** By the names of figures; a figure without one is only printed. */
export type Thresholds = Readonly<Record<string, Threshold>>

export function readThresholds(path: string | URL): Thresholds {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Prints each figure with its verdict. False: one of them fails. */
export function judge(figures: Readonly<Record<string, number>>, thresholds: Thresholds): boolean {
  const width = Math.max(...Object.keys(figures).map((name) => name.length))
  let passed = true
  for (const [name, value] of Object.entries(figures)) {
    const { min = -Infinity, max = Infinity } = thresholds[name] ?? {}
    const holds = value >= min && value <= max
    if (!holds) passed = false
    const limits = [
      min > -Infinity ? `at least ${min}` : '',
      max < Infinity ? `at most ${max}` : '',
    ].filter(Boolean)
    const verdict = limits.length === 0 ? '' : `${holds ? 'pass' : 'FAIL'}  ${limits.join(', ')}`
    console.log(
      `${name.padEnd(width)} ${String(Math.round(value * 100) / 100).padStart(12)}   ${verdict}`,
    )
  }
  console.log(passed ? 'passed' : 'failed')
  return passed
}

export function writeFigures(path: string, figures: Readonly<Record<string, number>>): void {
  writeFileSync(path, `${JSON.stringify(figures, null, 2)}\n`)
}
