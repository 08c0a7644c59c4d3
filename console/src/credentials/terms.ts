const dayMs = 86_400_000
/** From when a list warns of an end, and the CLI does. */
const soonMs = 7 * dayMs

export const lifetimes = [
  { value: '', label: 'Until it is revoked' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
]

/** How long an old secret stays good beside the new one, in seconds. */
export const overlaps = [
  { value: '0', label: 'Not at all: the old one ends now' },
  { value: '3600', label: 'An hour' },
  { value: '86400', label: 'A day' },
  { value: '604800', label: 'A week' },
]

export function expiryOf(days: string, nowMs: number): string | null {
  return days === '' ? null : new Date(nowMs + Number(days) * dayMs).toISOString()
}

/** Addresses and CIDR blocks as people write lists: by lines, commas or spaces. */
export function blocksOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter((block) => block !== '')
}

interface Ending {
  readonly expiresAt: string | null
  readonly revokedAt: string | null
}

/** Where a credential is between made and gone. */
export function stateOf(
  { expiresAt, revokedAt }: Ending,
  nowMs: number,
): 'good' | 'ends-soon' | 'expired' | 'revoked' {
  if (revokedAt) return 'revoked'
  if (!expiresAt) return 'good'
  const leftMs = Date.parse(expiresAt) - nowMs
  if (leftMs <= 0) return 'expired'
  return leftMs <= soonMs ? 'ends-soon' : 'good'
}
