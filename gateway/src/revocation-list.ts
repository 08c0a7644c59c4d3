import type { Log } from '@sluice/kit/log'
import type { Revocation } from '@sluice/schema/redis'

/** Clocks of gateway and identity may differ, and what is revoked is dated before it is committed. */
const overlapMs = 60_000

export interface RevocationList {
  close(): void
}

/**
 * Reads again and again what identity has revoked. Redis tells of it at once, but a message may be lost, or Redis with all of
 * them: PostgreSQL has the list, and this is what makes it count here within two reads.
 */
export function openRevocationList(options: {
  read: (since: Date) => Promise<readonly Revocation[]>
  everyMs: number
  onRevoked: (revocation: Revocation) => void
  now: () => number
  log: Log
}): RevocationList {
  const { read, everyMs, onRevoked, now, log } = options
  /** What was read, until it is too old to be read again. */
  const known = new Map<string, number>()
  let knownUntilMs = now()
  let failing = false
  let closed = false
  let timer: NodeJS.Timeout | undefined

  async function readOnce(): Promise<void> {
    const atMs = now()
    try {
      const since = knownUntilMs - overlapMs
      for (const revocation of await read(new Date(since))) {
        const { kind, id, at } = revocation
        const key = `${kind} ${id} ${at}`
        if (known.has(key) || closed) continue
        known.set(key, Date.parse(at))
        onRevoked(revocation)
      }
      for (const [key, revokedMs] of known) if (revokedMs < since) known.delete(key)
      knownUntilMs = atMs
      failing = false
    } catch (error) {
      // Nobody can sign in either while identity is away. What was missed is read once it is back.
      if (!failing && !closed) log.warn({ err: error }, 'the revoke list cannot be read for now')
      failing = true
    }
    if (!closed) timer = setTimeout(() => void readOnce(), everyMs)
  }
  void readOnce()

  return {
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
