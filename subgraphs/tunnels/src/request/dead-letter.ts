import type { DeadLetter } from '@sluice/kit/stream-consumer'

import type { JobDeps } from '../job-deps.ts'

/** Keeps an entry of a stream that could not be stored, once however often it is given up. */
export async function recordDeadLetter(
  { em, now }: JobDeps,
  { stream, entryId, text, reason }: DeadLetter,
): Promise<void> {
  const storable = (value: string) => value.toWellFormed().replaceAll('\0', '')
  await em().execute(
    `insert into tunnels.dead_letter (stream, entry_id, text, reason, at)
     values (?, ?, ?, ?, ?::timestamptz) on conflict do nothing`,
    [stream, entryId, storable(text), storable(reason), now().toISOString()],
  )
}
