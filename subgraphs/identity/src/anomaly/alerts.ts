import { createHmac } from 'node:crypto'

import { guardedFetch } from '@sluice/kit/guarded-fetch'
import type { Log } from '@sluice/kit/log'
import type { Redis } from 'ioredis'

import type { Anomaly } from './anomaly.entity.ts'

export interface AlertOptions {
  readonly url: string
  /** `whsec_` and base64, or any text: signs each alert (standardwebhooks). */
  readonly secret: string
  /** For so long after an alert, none follows about the same kind. */
  readonly cooldownMs: number
}

export interface Alerts {
  /** Returns at once. What cannot be delivered is in the log and in the list of anomalies. */
  send(anomaly: Anomaly): void
  close(): Promise<void>
}

const timeoutMs = 10_000
const triesMax = 3
const retryMs = 2_000
const secretForm = /^whsec_([A-Za-z0-9+/]+={0,2})$/

/** Tells the operator’s own webhook of severe anomalies, each kind once per cooldown over all replicas. */
export function createAlerts(
  redis: Redis,
  options: AlertOptions | null,
  { log, now }: { log: Log; now: () => Date },
): Alerts {
  const sending = new Set<Promise<void>>()
  const closed = new AbortController()
  /** While Redis is away each replica keeps to the cooldown by itself. */
  const sentAtMs = new Map<string, number>()

  async function isFirst(kind: string, cooldownMs: number): Promise<boolean> {
    try {
      return (await redis.set(keyOf(kind), '1', 'PX', cooldownMs, 'NX')) === 'OK'
    } catch {
      const before = sentAtMs.get(kind)
      if (before !== undefined && now().getTime() - before < cooldownMs) return false
      sentAtMs.set(kind, now().getTime())
      return true
    }
  }

  async function deliver(anomaly: Anomaly, { url, secret, cooldownMs }: AlertOptions) {
    if (!(await isFirst(anomaly.kind, cooldownMs))) return
    const body = JSON.stringify(payloadOf(anomaly))
    for (let tried = 1; tried <= triesMax && !closed.signal.aborted; tried += 1) {
      try {
        const headers = signed(`alert_${anomaly.id}`, body, secret, now())
        // The operator names the address, and may well mean a machine of their own network.
        const response = await guardedFetch(
          url,
          { method: 'POST', headers, body, timeoutMs, bytesMax: 64 * 1024, signal: closed.signal },
          { allowPrivate: true },
        )
        if (response.ok) return
        log.warn({ status: response.status, kind: anomaly.kind }, 'an alert was refused')
      } catch (error) {
        log.warn({ err: error, kind: anomaly.kind }, 'an alert could not be delivered')
      }
      if (tried < triesMax) await pause(retryMs * tried, closed.signal)
    }
    // Nobody has been told: the next anomaly of the kind tries again.
    sentAtMs.delete(anomaly.kind)
    await redis.del(keyOf(anomaly.kind)).catch(() => undefined)
  }

  return {
    send(anomaly) {
      if (!options) return
      const delivery = deliver(anomaly, options).finally(() => sending.delete(delivery))
      sending.add(delivery)
    },
    async close() {
      closed.abort()
      await Promise.allSettled(sending)
    },
  }
}

function keyOf(kind: string): string {
  return `sluice:alert:${kind}`
}

function payloadOf(anomaly: Anomaly) {
  const { id, kind, severity, organizationId, userId, subject, details, ip, count } = anomaly
  const { firstAt, lastAt } = anomaly
  const data = { id, kind, severity, organizationId, userId, subject, details, ip, count }
  return {
    type: 'security.anomaly',
    timestamp: lastAt.toISOString(),
    data: { ...data, firstAt: firstAt.toISOString(), lastAt: lastAt.toISOString() },
  }
}

/** The headers of a standardwebhooks message: id, time and body are signed together. */
function signed(id: string, body: string, secret: string, at: Date): Record<string, string> {
  const base64 = secretForm.exec(secret)?.[1]
  const key = base64 === undefined ? Buffer.from(secret) : Buffer.from(base64, 'base64')
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
