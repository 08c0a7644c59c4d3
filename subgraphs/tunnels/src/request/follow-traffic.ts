import { BoundedQueue } from '@sluice/kit/bounded-queue'
import { assertMay } from '@sluice/kit/principal'
import { parseJson } from '@sluice/kit/stream-consumer'
import { redisChannels, RequestRecord } from '@sluice/schema/redis'
import { z } from 'zod'

import type { Context } from '../context.ts'
import { findTunnel } from '../tunnel/tunnel.ts'

/** One request as it ended, before it is stored. */
export interface TrafficEvent {
  cursor: string
  missed: number
  record: RequestRecord
}

/** What one slow subscriber may leave unread; then the oldest is dropped and counted. */
const unreadEventsMax = 500
const unreadBytesMax = 8 * 1024 * 1024

const Records = z.array(RequestRecord)

/** The requests of a tunnel as they end, told by the relays. Checked once: the gateway ends it when rights change. */
export async function followTraffic(
  context: Context,
  tunnelId: string,
): Promise<AsyncIterableIterator<TrafficEvent>> {
  const tunnel = await findTunnel(context, tunnelId)
  const { organizationId } = tunnel
  assertMay(context.principal, organizationId, 'requests.read')

  let leave: () => void = () => undefined
  const queue = new BoundedQueue<{ record: RequestRecord; bytes: number }>(
    unreadEventsMax,
    () => leave(),
    { max: unreadBytesMax, of: ({ bytes }) => bytes },
  )
  leave = await context.parts.hub.subscribe(redisChannels.traffic(tunnel.id), (message) => {
    // A relay of another version may send what this one does not know: others' events still pass.
    const { data: records = [] } = Records.safeParse(parseJson(message))
    const bytes = message.length / records.length
    for (const record of records) {
      if (record.organizationId === organizationId) queue.push({ record, bytes })
    }
  })
  const events: AsyncIterableIterator<TrafficEvent> = {
    async next() {
      const { done, value } = await queue.next()
      if (done) return { done: true, value: undefined }
      return {
        done: false,
        value: { cursor: value.record.id, missed: queue.takeMissed(), record: value.record },
      }
    },
    async return() {
      await queue.return()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => events,
  }
  return events
}
