/**
 * How long to wait after each attempt that failed, in seconds: close together while a restart may be the reason, then
 * apart, about a day in all.
 */
const retryDelaysSeconds = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800]

/** Deliveries that failed together must not come back together: each delay is this much shorter or longer. */
const jitter = 0.2

/** How long to wait after this many attempts, or null when they were enough. */
export function nextDelayMs(attempts: number, random: () => number): number | null {
  const seconds = retryDelaysSeconds[attempts - 1]
  if (seconds === undefined) return null
  return Math.round(seconds * 1_000 * (1 - jitter + 2 * jitter * random()))
}
