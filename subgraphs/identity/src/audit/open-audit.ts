import { setTimeout as sleep } from 'node:timers/promises'

import type { ObjectStore } from '@sluice/kit/object-store'

import { openDelivery, resealStreams, type StreamDeps } from './deliver-streams.ts'
import { openSealing } from './seal-entries.ts'
import { signHeads, type HeadKeys } from './signed-heads.ts'

const headsEveryMs = 15 * 60_000
/** Signing begins once the start is over. */
const firstHeadsMs = 20_000

/**
 * What goes on with the audit by itself: sealing, signing what was sealed, and sending it to where
 * members want it. Every replica has it, one at a time does it.
 */
export async function openAudit(
  options: StreamDeps & { keys: HeadKeys; objects: ObjectStore | undefined },
): Promise<{ close(): Promise<void> }> {
  const { orm, sealer, log } = options
  const failed = await resealStreams(orm, sealer)
  if (failed > 0) log.error({ failed }, 'audit streams are sealed by a key that is not known')
  const closing = new AbortController()
  const sealing = openSealing(options)
  const delivery = openDelivery(options)

  async function signForever(): Promise<void> {
    await pause(firstHeadsMs)
    while (!closing.signal.aborted) {
      try {
        while ((await signHeads(options)) > 0 && !closing.signal.aborted);
      } catch (error) {
        // The next turn tries again: a head that comes later covers what this one would have.
        log.warn({ err: error }, 'heads of the audit could not be signed')
      }
      await pause(headsEveryMs)
    }
  }

  async function pause(ms: number): Promise<void> {
    const waiting = { signal: closing.signal, ref: false }
    await sleep(ms, undefined, waiting).catch(() => undefined) // Closing ends the wait.
  }

  const signing = signForever()
  return {
    async close() {
      closing.abort()
      await Promise.all([sealing.close(), delivery.close(), signing])
    },
  }
}
