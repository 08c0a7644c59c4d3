import { assertMay } from '@sluice/kit/principal'
import { parseJson } from '@sluice/kit/stream-consumer'
import { redisChannels, TunnelStatusChange } from '@sluice/schema/redis'

import type { Context } from '../context.ts'

/** More tunnels than this with unread changes, and the oldest change is dropped: a reader that stops stays cheap. */
const tunnelsUnreadMax = 2_000

/** Changes of the status of an organization's tunnels. A slow reader gets the last state of each tunnel, not each step. */
export async function followTunnelStatus(
  { principal, parts }: Context,
  organizationId: string,
): Promise<AsyncIterableIterator<TunnelStatusChange>> {
  assertMay(principal, organizationId, 'tunnels.read')
  const unread = new Map<string, TunnelStatusChange>()
  let ended = false
  let endWait: () => void = () => undefined

  const leave = await parts.hub.subscribe(redisChannels.tunnelStatus(organizationId), (message) => {
    const { data: change } = TunnelStatusChange.safeParse(parseJson(message))
    if (!change || change.organizationId !== organizationId) return
    // Taken out first, so that the newest change stands last.
    unread.delete(change.tunnelId)
    unread.set(change.tunnelId, change)
    const [oldest] = unread.keys()
    if (unread.size > tunnelsUnreadMax && oldest !== undefined) unread.delete(oldest)
    endWait()
  })
  const events: AsyncIterableIterator<TunnelStatusChange> = {
    async next() {
      while (!ended) {
        const [change] = unread.values()
        if (change) {
          unread.delete(change.tunnelId)
          return { done: false, value: change }
        }
        await new Promise<void>((resolve) => (endWait = resolve))
      }
      return { done: true, value: undefined }
    },
    async return() {
      ended = true
      leave()
      endWait()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => events,
  }
  return events
}
