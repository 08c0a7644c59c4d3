import { forkFor } from '@sluice/kit/database'
import { decodeCursor } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import { redisChannels } from '@sluice/schema/redis'

import type { Context } from '../context.ts'
import { findTunnel } from '../tunnel/tunnel.ts'
import { CapturedRequest } from './captured-request.entity.ts'

/** One stored request. The cursor continues behind it in the order of storing. */
export interface StoredRequestEvent {
  cursor: string
  missed: number
  request: CapturedRequest
}

export interface FollowStoredArgs {
  organizationId: string
  tunnelId?: string | null | undefined
  after?: string | null | undefined
}

/** Rows read ahead for one subscriber. The rest waits in PostgreSQL, so a slow one costs no memory and misses nothing. */
const pageRows = 100
/** A message that Redis lost delays an event by this much. */
const lookEveryMs = 5_000

/**
 * The stored requests of an organization in the order of storing: those after the cursor, then new ones as they come.
 * Messages only wake the reader; what it gives out is read from the table by sequence, which has no gaps and no
 * repeats. So replay and live are one read, without a seam.
 */
export async function followStoredRequests(
  context: Context,
  { organizationId, tunnelId, after }: FollowStoredArgs,
): Promise<AsyncIterableIterator<StoredRequestEvent>> {
  assertMay(context.principal, organizationId, 'requests.read')
  if (tunnelId) {
    const tunnel = await findTunnel(context, tunnelId)
    if (tunnel.organizationId !== organizationId) throw new SluiceError('SLUICE_TUNNEL_NOT_FOUND')
  }
  const { hub, orm } = context.parts
  const reader = createReader()
  const leave = await hub.subscribe(redisChannels.requestsStored(organizationId), reader.wake)
  reader.onEnd(leave)
  try {
    // After the subscription is confirmed, so that nothing falls between.
    let last = await startOf(context, organizationId, after)
    reader.load(async () => {
      // A fork per page: an identity map that lives as long as the subscription would grow without end.
      const rows = await forkFor(orm, context.principal).find(
        CapturedRequest,
        { organizationId, sequence: { $gt: last }, ...(tunnelId ? { tunnelId } : {}) },
        { orderBy: { sequence: 'asc' }, limit: pageRows },
      )
      last = rows.at(-1)?.sequence ?? last
      return rows
    })
  } catch (error) {
    await reader.events.return?.()
    throw error
  }
  return reader.events
}

const sequenceForm = /^s:(\d{1,19})$/
/** Of PostgreSQL's `bigint`. */
const sequenceMax = 2n ** 63n - 1n

function encodeSequence(sequence: string): string {
  return Buffer.from(`s:${sequence}`).toString('base64url')
}

/**
 * The sequence to continue after. A cursor of a list counts too: what was stored after that row follows, so that a
 * reader may list first and follow then.
 */
async function startOf(
  { em }: Context,
  organizationId: string,
  after: string | null | undefined,
): Promise<string> {
  if (!after) {
    const [newest] = await em.find(
      CapturedRequest,
      { organizationId },
      { orderBy: { sequence: 'desc' }, limit: 1 },
    )
    return newest?.sequence ?? '0'
  }
  const sequence = sequenceForm.exec(Buffer.from(after, 'base64url').toString())?.[1]
  if (sequence !== undefined) {
    if (BigInt(sequence) > sequenceMax) throw new SluiceError('SLUICE_CURSOR_INVALID')
    return sequence
  }
  const { at, id } = decodeCursor(after)
  const row = await em.findOne(CapturedRequest, { organizationId, id, startedAt: at })
  if (!row) throw new SluiceError('SLUICE_CURSOR_INVALID')
  return row.sequence
}

/** An iterator that loads a page when it is asked and woken, and waits otherwise. */
function createReader() {
  let load: () => Promise<CapturedRequest[]> = async () => []
  let onEnd: () => void = () => undefined
  let ended = false
  let woken = true
  let endWait: () => void = () => undefined
  const page: CapturedRequest[] = []

  const wake = (): void => {
    woken = true
    endWait()
  }
  const wait = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      endWait = resolve
      timer = setTimeout(resolve, lookEveryMs)
    })
    clearTimeout(timer)
    woken = true
  }
  const events: AsyncIterableIterator<StoredRequestEvent> = {
    async next() {
      while (!ended) {
        const request = page.shift()
        if (request) {
          const cursor = encodeSequence(request.sequence)
          return { done: false, value: { cursor, missed: 0, request } }
        }
        if (woken) {
          woken = false
          try {
            page.push(...(await load()))
          } catch (error) {
            await events.return?.()
            // PostgreSQL is away: the subscriber comes again with its cursor.
            throw new SluiceError('SLUICE_SUBSCRIPTION_LOST', {}, { cause: error })
          }
          // A full page may not have been all.
          if (page.length === pageRows) woken = true
        } else {
          await wait()
        }
      }
      return { done: true, value: undefined }
    },
    async return() {
      ended = true
      onEnd()
      endWait()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => events,
  }
  return {
    events,
    wake,
    load: (next: typeof load) => void (load = next),
    onEnd: (end: typeof onEnd) => void (onEnd = end),
  }
}
