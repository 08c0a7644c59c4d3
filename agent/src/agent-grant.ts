import { cliOperations } from '@sluice/schema/operations/cli'

import { isPassing, type Api } from './api.ts'
import { createBackoff } from './backoff.ts'
import { delay } from './delay.ts'
import type { TokenNeed } from './session/agent-session.ts'
import type { Edge } from './session/edges.ts'

const renewBaseMs = 500
const renewCapMs = 15_000
/** So long a session waits for a new agent token while the one it has would still do. */
const patienceMs = 2_000
/** An agent token with less life than this does not survive the handshake. */
const lifeLeftMsMin = 5_000

/** What the server hands out when a tunnel starts, and again at each renewal. */
export interface Grant {
  readonly agentToken: string
  readonly expiresAt: string
  readonly epoch: number
  /** The Host that the upstream shall get from now on; null for the visitor's own. Older servers do not say. */
  readonly hostHeader?: string | null
  /** The relays to dial from now on. Older servers do not say. */
  readonly edges?: readonly Edge[]
}

/** Where a session gets its agent tokens. */
export interface AgentGrant {
  /** `expiredWillDo`: rather one that has expired than none while the server is away. */
  agentToken(need?: TokenNeed): Promise<string>
}

interface AgentGrantOptions {
  readonly api: Api
  readonly tunnelId: string
  readonly first: Grant
  /** Ends waiting for a server that is away. */
  readonly signal: AbortSignal
  readonly onEdges?: (edges: readonly Edge[]) => void
  /** Somebody has changed the tunnel's host header. */
  readonly onHostHeader?: (hostHeader: string | null) => void
  readonly now?: () => number
  readonly renewBaseMs?: number
  readonly patienceMs?: number
}

/**
 * Gives the session an agent token, a new one at each call after the first. While the server is
 * away the last one serves as long as it lives, or longer where that may do, so that a tunnel survives
 * the loss of its relay and its control plane together. What the server refuses for good is thrown.
 */
export function createAgentGrant(options: AgentGrantOptions): AgentGrant {
  const { api, tunnelId, first, signal, now = Date.now } = options
  let latest = first
  let isFirst = true
  let renewing: Promise<Grant> | null = null

  async function renew(): Promise<Grant> {
    const baseMs = options.renewBaseMs ?? renewBaseMs
    const backoff = createBackoff({ baseMs, capMs: renewCapMs })
    for (;;) {
      signal.throwIfAborted()
      try {
        const variables = { tunnelId, epoch: first.epoch }
        const { renewAgentToken } = await api.query<{ renewAgentToken: Grant }>(
          cliOperations.renewAgentToken,
          variables,
        )
        const { hostHeader } = renewAgentToken
        const changed = hostHeader !== undefined && hostHeader !== latest.hostHeader
        latest = renewAgentToken
        if (latest.edges) options.onEdges?.(latest.edges)
        if (changed) options.onHostHeader?.(hostHeader)
        return latest
      } catch (error) {
        if (!isPassing(error)) throw error
        await delay(backoff.nextMs(), signal)
      }
    }
  }

  return {
    async agentToken({ expiredWillDo, fresh = false } = { expiredWillDo: false }) {
      if (isFirst) {
        isFirst = false
        return first.agentToken
      }
      // What is on its way already may have been minted before the change.
      if (fresh && renewing) await renewing.catch(() => undefined)
      renewing ??= renew().finally(() => {
        renewing = null
      })
      if (fresh) return (await renewing).agentToken
      const isAlive = Date.parse(latest.expiresAt) - now() > lifeLeftMsMin
      if (!isAlive && !expiredWillDo) return (await renewing).agentToken
      const stopWaiting = new AbortController()
      try {
        const patience = delay(options.patienceMs ?? patienceMs, stopWaiting.signal)
        await Promise.race([renewing, patience])
        return latest.agentToken
      } finally {
        stopWaiting.abort()
      }
    },
  }
}
