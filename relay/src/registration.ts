import type { Log } from '@sluice/kit/log'
import { relayOperations } from '@sluice/schema/operations/relay'

import type { Sessions } from './sessions.ts'

const heartbeatMs = 5_000
const requestTimeoutMs = 5_000
const retryFirstMs = 500
const retryMostMs = 15_000

export interface RegistrationOptions {
  readonly gatewayUrl: string
  readonly relayKey: string
  readonly relayId: string
  readonly region: string
  readonly edgeUrl: string
  readonly publicHttpUrl: string
  readonly version: string
  readonly capacity: number
  readonly sessions: Sessions
  readonly connections: () => number
  readonly log: Log
}

export interface Registration {
  /** Heartbeats say so from now on. */
  drain(): Promise<void>
  close(): void
}

/** Makes the relay known to the control plane and keeps it so. No visitor or agent ever waits for it. */
export function openRegistration(options: RegistrationOptions): Registration {
  const { relayId, sessions, log } = options
  let draining = false
  let registered = false
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  const closed = new AbortController()

  async function call(operationName: string, query: string, input: object): Promise<void> {
    const response = await fetch(new URL('/graphql', options.gatewayUrl), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${options.relayKey}`,
      },
      body: JSON.stringify({ operationName, query, variables: { input } }),
      signal: AbortSignal.any([closed.signal, AbortSignal.timeout(requestTimeoutMs)]),
    })
    const body = (await response.json()) as { errors?: { extensions?: { code?: string } }[] }
    const [error] = body.errors ?? []
    if (error) throw new Error(error.extensions?.code ?? 'refused')
    if (!response.ok) throw new Error(`status ${response.status}`)
  }

  function register(): Promise<void> {
    const { region, edgeUrl, publicHttpUrl, version, capacity } = options
    const input = { id: relayId, region, edgeUrl, publicHttpUrl, version, capacity }
    return call('RegisterRelay', relayOperations.registerRelay, input)
  }

  function heartbeat(): Promise<void> {
    return call('HeartbeatRelay', relayOperations.heartbeatRelay, {
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
  }

  async function beat(): Promise<void> {
    clearTimeout(timer)
    try {
      if (!registered) {
        await register()
        registered = true
        log.info({ relayId }, 'registered')
      }
      await heartbeat()
      failures = 0
    } catch (error) {
      if (closed.signal.aborted) return
      // A control plane that lost its memory of us answers a heartbeat with an error: start over.
      registered = false
      failures += 1
      const reason = error instanceof Error ? error.message : String(error)
      if (failures === 1) log.warn({ reason }, 'the control plane did not take the heartbeat')
    }
    if (closed.signal.aborted) return
    const backoffMs = Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(failures, 10))
    const delayMs = failures === 0 ? heartbeatMs : backoffMs
    timer = setTimeout(() => void beat(), delayMs * (0.5 + Math.random() / 2))
  }
  void beat()

  return {
    async drain() {
      draining = true
      if (registered) await heartbeat().catch(() => undefined) // It only spares others a detour.
    },
    close() {
      clearTimeout(timer)
      closed.abort()
    },
  }
}
