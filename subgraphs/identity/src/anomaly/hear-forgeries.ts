import type { Log } from '@sluice/kit/log'
import { openStreamConsumer, type StreamConsumer } from '@sluice/kit/stream-consumer'
import { ForgeryBatch, redisKeys } from '@sluice/schema/redis'

import type { Anomalies } from './anomalies.ts'

/** Hears what all parts were shown that nobody we know had signed. Replicas share the work. */
export function hearForgeries({
  redisUrl,
  anomalies,
  log,
}: {
  redisUrl: string
  anomalies: Anomalies
  log: Log
}): StreamConsumer {
  return openStreamConsumer({
    redisUrl,
    stream: redisKeys.forgeries,
    group: 'identity',
    batch: ForgeryBatch,
    async apply({ part, seen }) {
      for (const { forged, ip, count } of seen)
        reportForgery(anomalies, { part, forged, ip, count })
    },
    // What cannot be read is in the log, and worth no more.
    deadLetter: async () => undefined,
    log,
  })
}

/** One row per part and kind: an attacker with many addresses fills no table, and the last one is shown. */
export function reportForgery(
  anomalies: Anomalies,
  { part, forged, ip, count = 1 }: { part: string; forged: string; ip: string; count?: number },
): void {
  const subject = `${part}: ${forged}`
  anomalies.report({ kind: 'signature-failed', subject, organizationId: null, ip, count })
}
