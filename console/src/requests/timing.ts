interface Timed {
  readonly durationMs: number
  readonly firstByteMs?: number | null | undefined
}

export interface TimingPart {
  readonly name: 'wait' | 'download'
  readonly label: string
  readonly ms: number
  readonly percent: number
}

/** Where the time of a request went: until the service began to answer, then until the last byte. */
export function timingOf({ durationMs, firstByteMs }: Timed): readonly TimingPart[] {
  const percentOf = (ms: number) => (durationMs > 0 ? (ms / durationMs) * 100 : 0)
  if (firstByteMs === null || firstByteMs === undefined) {
    return [{ name: 'wait', label: 'Without an answer', ms: durationMs, percent: 100 }]
  }
  const waitMs = Math.min(Math.max(firstByteMs, 0), durationMs)
  const downloadMs = durationMs - waitMs
  return [
    { name: 'wait', label: 'Until the first byte', ms: waitMs, percent: percentOf(waitMs) },
    { name: 'download', label: 'Transfer', ms: downloadMs, percent: percentOf(downloadMs) },
  ]
}
