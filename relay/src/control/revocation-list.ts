import type { Log } from '@sluice/kit/log'
import { relayOperations } from '@sluice/schema/operations/relay'
import { Revocation } from '@sluice/schema/redis'
import { z } from 'zod'

import { askGraph } from '../graph.ts'
import type { Agents } from './agents.ts'

/** Clocks of relay and control plane may differ, and an announcement may be on its way while we ask. */
const overlapMs = 120_000
const retryMs = 5_000

/** While announcements cannot be heard the list is read this often. */
const deafReadMs = 1_000

const Stopped = z.array(z.object({ id: z.string(), at: z.iso.datetime() })).nullish()
const Revoked = z.array(z.object({ kind: z.string(), id: z.string(), at: z.iso.datetime() }))
const Answer = z.object({ stoppedTunnels: Stopped, revokedCredentials: Revoked.nullish() })

export interface RevocationListOptions {
  readonly gatewayUrl: string
  readonly relayKey: string
  readonly agents: Pick<Agents, 'revoke'>
  /** Tokens older than this serve no more, so nothing before matters. */
  readonly lookBackMs: number
  /** Whether announcements cannot be heard at the moment, because Redis is away. */
  readonly isDeaf: () => boolean
  readonly log: Log
}

export interface RevocationList {
  /** Announcements may have been missed: reads what has been revoked since the last time. */
  read(): void
  close(): void
}

/** What the control plane has revoked, for a relay that could not hear it. PostgreSQL holds it, whatever becomes of Redis. */
export function openRevocationList(options: RevocationListOptions): RevocationList {
  const { agents, lookBackMs, isDeaf, log } = options
  const closed = new AbortController()
  let knownUntilMs = Date.now() - lookBackMs
  let reading = false
  let wanted = false
  let timer: NodeJS.Timeout | undefined

  async function read(): Promise<void> {
    wanted = true
    if (reading || closed.signal.aborted) return
    reading = true
    clearTimeout(timer)
    while (wanted) {
      wanted = false
      const atMs = Date.now()
      const sinceMs = Math.max(knownUntilMs - overlapMs, atMs - lookBackMs)
      try {
        if (await readSince(new Date(sinceMs))) knownUntilMs = atMs
        else again()
      } catch (error) {
        if (closed.signal.aborted) break
        log.warn({ reason: String(error) }, 'the list of revocations could not be read')
        again()
      }
    }
    reading = false
  }

  /** Whether all of it could be read: each part of the control plane has its own. */
  async function readSince(since: Date): Promise<boolean> {
    const operation = {
      operationName: 'RelayRevokedCredentials',
      query: relayOperations.revocations,
      variables: { since: since.toISOString() },
    }
    const data = Answer.parse(await askGraph(options, operation, closed.signal, { partly: true }))
    for (const { id, at } of data.stoppedTunnels ?? []) agents.revoke({ kind: 'tunnel', id, at })
    for (const revoked of data.revokedCredentials ?? []) {
      // Of a kind that a later release has added this one knows nothing.
      const known = Revocation.safeParse(revoked)
      if (known.success) agents.revoke(known.data)
    }
    return Boolean(data.stoppedTunnels && data.revokedCredentials)
  }

  function again(): void {
    timer = setTimeout(() => void read(), retryMs)
  }

  const listening = setInterval(() => {
    if (isDeaf()) void read()
  }, deafReadMs)
  listening.unref()
  return {
    read: () => void read(),
    close() {
      clearInterval(listening)
      clearTimeout(timer)
      closed.abort()
    },
  }
}
