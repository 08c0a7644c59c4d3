import type { Log } from '@sluice/kit/log'
import { relayOperations } from '@sluice/schema/operations/relay'
import { z } from 'zod'

import { Refused, askGraph } from './graph.ts'
import type { Sessions } from './sessions.ts'

const heartbeatMs = 5_000
const retryFirstMs = 500
const retryMostMs = 15_000

/** What the answer to a heartbeat orders. An older control plane orders nothing. */
const Orders = z.object({
  drain: z.boolean().default(false),
  replacedSessionIds: z.array(z.string()).default([]),
})

const Others = z.object({ otherRelaysReady: z.number() })

export interface RegistrationOptions {
  readonly gatewayUrl: string
  readonly relayKey: string
  readonly relayId: string
  readonly region: string
  readonly pool: string
  readonly edgeUrl: string
  readonly publicHttpUrl: string
  readonly version: string
  readonly capacity: number
  readonly sessions: Sessions
  readonly connections: () => number
  readonly log: Log
  /** After each attempt: whether the control plane answered at all, be it with a refusal. */
  readonly onAttempt: (answered: boolean) => void
  /** The relay is known to the control plane, for the first time or again. */
  readonly onRegistered: () => void
  /** Staff wants the relay to leave. Called once. */
  readonly onDrainOrdered: () => void
  /** Newer starts of their tunnels are served elsewhere. */
  readonly onReplaced: (sessionIds: readonly string[]) => void
  readonly heartbeatMs?: number | undefined
  readonly retryFirstMs?: number | undefined
}

export interface Registration {
  /** Heartbeats say so from now on. */
  drain(): Promise<void>
  /** How many other relays take agents, as the control plane sees it. Undefined: it cannot say. */
  othersReady(): Promise<number | undefined>
  close(): void
}

/** Makes the relay known to the control plane and keeps it so. No visitor or agent ever waits for it. */
export function openRegistration(options: RegistrationOptions): Registration {
  const { relayId, sessions, log } = options
  let draining = false
  let registered = false
  let ordered = false
  let failures = 0
  let said = ''
  let timer: NodeJS.Timeout | undefined
  const closed = new AbortController()

  function call(operationName: string, query: string, input: object) {
    return askGraph(options, { operationName, query, variables: { input } }, closed.signal)
  }

  async function register(): Promise<void> {
    const { region, pool, edgeUrl, publicHttpUrl, version, capacity } = options
    const input = { id: relayId, region, pool, edgeUrl, publicHttpUrl, version, capacity }
    await call('RegisterRelay', relayOperations.registerRelay, input)
  }

  async function heartbeat(): Promise<void> {
    const answer = await call('HeartbeatRelay', relayOperations.heartbeatRelay, {
      id: relayId,
      draining,
      connections: options.connections(),
      sessions: [...sessions.all()].map(({ id, claims, openedAt }) => ({
        tunnelId: claims.tunnelId,
        sessionId: id,
        epoch: claims.epoch,
        since: openedAt.toISOString(),
      })),
    })
    const orders = Orders.safeParse(answer['heartbeatRelay'])
    if (!orders.success) return
    const { drain, replacedSessionIds } = orders.data
    if (replacedSessionIds.length > 0) options.onReplaced(replacedSessionIds)
    if (!drain || draining || ordered) return
    ordered = true
    log.info('ordered to drain')
    options.onDrainOrdered()
  }

  async function beat(): Promise<void> {
    clearTimeout(timer)
    try {
      if (!registered) {
        await register()
        registered = true
        log.info({ relayId }, 'registered')
        options.onRegistered()
      }
      await heartbeat()
      failures = 0
      said = ''
      options.onAttempt(true)
    } catch (error) {
      if (closed.signal.aborted) return
      // A control plane that lost its memory of us answers a heartbeat with an error: start over.
      registered = false
      failures += 1
      const answered = error instanceof Refused
      options.onAttempt(answered)
      say(answered, error instanceof Error ? error.message : String(error))
    }
    if (closed.signal.aborted) return
    const delayMs = failures === 0 ? jittered(options.heartbeatMs ?? heartbeatMs) : retryMs()
    timer = setTimeout(() => void beat(), delayMs)
  }

  function retryMs(): number {
    return retryDelayMs(failures, options.retryFirstMs ?? retryFirstMs)
  }

  /** Once for as long as it stays the same. The words of a network error vary, so they do not count. */
  function say(answered: boolean, reason: string): void {
    const kind = answered ? reason : 'away'
    if (said !== kind) log.warn({ reason }, 'the control plane did not take the heartbeat')
    said = kind
  }
  void beat()

  return {
    async drain() {
      draining = true
      if (registered) await heartbeat().catch(() => undefined) // It only spares others a detour.
    },
    async othersReady() {
      const query = relayOperations.otherRelaysReady
      const operation = { operationName: 'RelayOthersReady', query, variables: { relayId } }
      try {
        return Others.parse(await askGraph(options, operation, closed.signal)).otherRelaysReady
      } catch {
        return undefined
      }
    },
    close() {
      clearTimeout(timer)
      closed.abort()
    },
  }
}

/** Doubles up to a quarter of a minute, less up to half at random, so that relays do not come back all at once. */
export function retryDelayMs(failures: number, firstMs: number, random = Math.random): number {
  return jittered(Math.min(retryMostMs, firstMs * 2 ** Math.min(failures - 1, 10)), random)
}

function jittered(delayMs: number, random = Math.random): number {
  return delayMs * (0.5 + random() / 2)
}
