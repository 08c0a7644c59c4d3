import type { Log } from '@sluice/kit/log'
import { relayOperations } from '@sluice/schema/operations/relay'
import { z } from 'zod'

import { askGraph } from '../graph.ts'
import type { SuspendedHosts } from '../suspended-hosts.ts'

const retryMs = 5_000

const Answer = z.object({
  relaySuspendedHosts: z.array(z.object({ name: z.string(), reason: z.string() })),
  relayClosedHosts: z.array(z.string()).nullish(),
})

export interface SuspendedHostListOptions {
  readonly gatewayUrl: string
  readonly relayKey: string
  readonly hosts: SuspendedHosts
  /** The list was read: what serves one of them has to end. */
  readonly onRead: () => void
  readonly log: Log
}

export interface SuspendedHostList {
  /** Announcements may have been missed: reads all of them. */
  read(): void
  close(): void
}

/** The suspended hosts as PostgreSQL has them, for a relay that could not hear of them. */
export function openSuspendedHostList(options: SuspendedHostListOptions): SuspendedHostList {
  const { hosts, onRead, log } = options
  const closed = new AbortController()
  let reading = false
  let wanted = false
  let timer: NodeJS.Timeout | undefined

  async function read(): Promise<void> {
    wanted = true
    if (reading || closed.signal.aborted) return
    reading = true
    clearTimeout(timer)
    while (wanted) {
      // Whoever asks meanwhile may know of something that this answer is too old for.
      wanted = false
      try {
        const query = relayOperations.suspensions
        const operation = { operationName: 'RelaySuspensions', query, variables: {} }
        const data = Answer.parse(await askGraph(options, operation, closed.signal))
        hosts.replace(data.relaySuspendedHosts, data.relayClosedHosts ?? [])
        onRead()
      } catch (error) {
        if (closed.signal.aborted) break
        log.warn({ reason: String(error) }, 'the list of suspended hosts could not be read')
        timer = setTimeout(() => void read(), retryMs)
      }
    }
    reading = false
  }

  return {
    read: () => void read(),
    close() {
      clearTimeout(timer)
      closed.abort()
    },
  }
}
