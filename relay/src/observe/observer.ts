import {
  bodiesWaitSeconds,
  presenceRenewSeconds,
  presenceSeconds,
  redisChannels,
  redisKeys,
  type Presence,
  type RequestBatch,
  type RequestRecord,
  type TunnelStatusChange,
  type UsageBatch,
} from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

import type { Observed } from '../edge/observed.ts'
import type { ObservedConnection } from '../raw/raw-context.ts'
import type { Sessions, TunnelSession } from '../sessions.ts'
import type { CapturedBytes } from './captured-bytes.ts'
import { uuidV7 } from './uuid-v7.ts'

const flushMs = 100
const usageMs = 1_000
const recordsWaitingMax = 5_000
const batchRecordsMax = 500
const usageCountsMax = 1_000
/** Captured bytes per flush: times the seconds that they may wait in Redis, 160 MB. */
const bodyBytesPerFlushMax = 512 * 1024
/** Usage of tunnels that waits while Redis is away. Beyond it the oldest is merged, never the newest lost. */
const usageTunnelsMax = 50_000
/** Streams are trimmed about here, should nobody read them. */
const streamEntriesMax = 20_000

export interface ObserverOptions {
  readonly relayId: string
  /** Undefined: nothing is reported, everything is served. */
  readonly redis: Redis | undefined
  readonly sessions: Sessions
  readonly onDropped: (what: 'record' | 'body' | 'usage' | 'presence', count: number) => void
}

interface Count {
  organizationId: string
  tunnelId: string
  requests: number
  bytesIn: number
  bytesOut: number
}

/** Tells the rest of Sluice what happens here, in batches, and never makes a request wait for it. */
export class Observer {
  readonly #options: ObserverOptions
  #records: RequestRecord[] = []
  #bodies: [requestId: string, bodies: CapturedBytes][] = []
  #bodyBytes = 0
  /** Told with the next flush: under load it is most requests, and a metric costs more than all else here. */
  #recordsDropped = 0
  readonly #usage = new Map<string, Count>()
  readonly #timers: NodeJS.Timeout[]

  constructor(options: ObserverOptions) {
    this.#options = options
    const every = (ms: number, run: () => Promise<void>): NodeJS.Timeout =>
      setInterval(() => void run(), ms)
    this.#timers = options.redis
      ? [
          every(flushMs, () => this.#flushRecords()),
          every(usageMs, () => this.#flushUsage()),
          every(presenceRenewSeconds * 1000, () => this.#renewPresence()),
        ]
      : []
  }

  /** Whether to keep the heads of this request: bounded per tunnel, since records are for people and usage is exact without them. */
  records(tunnel: TunnelSession, nowMs: number): boolean {
    if (!this.#options.redis) return false
    if (tunnel.records.take(nowMs)) return true
    this.#recordsDropped += 1
    return false
  }

  observe(observed: Observed): void {
    const { tunnel, record } = observed
    if (!tunnel) return
    tunnel.requests += 1
    tunnel.bytesIn += observed.requestBytes
    tunnel.bytesOut += observed.responseBytes
    // Nobody asks a session that has closed: what it still had on its way to a visitor is taken here.
    if (tunnel.session.closed) this.#takeUsage(tunnel)
    if (!record) return
    if (this.#records.length >= recordsWaitingMax) {
      this.#recordsDropped += 1
      return
    }
    const id = uuidV7(record.startedAt)
    const bodies = this.#takeBodies(id, record.bodies)
    this.#records.push({
      id,
      organizationId: tunnel.claims.organizationId,
      tunnelId: tunnel.claims.tunnelId,
      relayId: this.#options.relayId,
      endpointHost: record.endpointHost,
      startedAt: new Date(record.startedAt).toISOString(),
      method: record.method,
      path: record.path,
      protocol: record.protocol,
      status: observed.status,
      code: observed.code ?? null,
      visitorIp: record.visitorIp,
      requestBytes: observed.requestBytes,
      responseBytes: observed.responseBytes,
      durationMs: observed.durationMs,
      firstByteMs: observed.firstByteMs ?? null,
      requestHeaders: record.requestHeaders.map(([name, value]) => [name, value]),
      responseHeaders: record.responseHeaders.map(([name, value]) => [name, value]),
      ...(bodies ? { bodies } : {}),
    })
  }

  /** Keeps captured bytes for the next flush, within what Redis shall hold of them. */
  #takeBodies(id: string, captured: CapturedBytes | undefined): RequestRecord['bodies'] {
    if (!captured || captured.bytes === 0) return undefined
    if (this.#bodyBytes + captured.bytes > bodyBytesPerFlushMax) {
      this.#options.onDropped('body', 1)
      return undefined
    }
    this.#bodyBytes += captured.bytes
    this.#bodies.push([id, captured])
    const part = ({ bytes, truncated }: { bytes: number; truncated: boolean }) =>
      bytes === 0 ? null : { truncated }
    return { request: part(captured.request), response: part(captured.response) }
  }

  /** A raw connection or flow leaves a record too; its bytes were counted as they passed. */
  observeConnection(observed: ObservedConnection): void {
    const { tunnel, protocol, endpoint, startedAt } = observed
    if (!this.records(tunnel, performance.now())) return
    if (this.#records.length >= recordsWaitingMax) {
      this.#recordsDropped += 1
      return
    }
    this.#records.push({
      id: uuidV7(startedAt),
      organizationId: tunnel.claims.organizationId,
      tunnelId: tunnel.claims.tunnelId,
      relayId: this.#options.relayId,
      endpointHost: endpoint,
      startedAt: new Date(startedAt).toISOString(),
      // What a connection has in place of a request line.
      method: protocol,
      path: endpoint,
      protocol,
      status: 0,
      code: observed.code ?? null,
      visitorIp: observed.visitorIp,
      requestBytes: observed.bytesIn,
      responseBytes: observed.bytesOut,
      durationMs: observed.durationMs,
      firstByteMs: null,
      requestHeaders: [],
      responseHeaders: [],
    })
  }

  online(tunnel: TunnelSession): void {
    void this.#announce([tunnel])
    this.#status(tunnel, 'ONLINE')
  }

  /** The session has closed, and no other took its place here. */
  offline(tunnel: TunnelSession): void {
    this.#takeUsage(tunnel)
    void this.#options.redis
      ?.eval(deleteOwn, 1, redisKeys.presence(tunnel.claims.tunnelId), tunnel.id)
      .catch(ignored)
    this.#status(tunnel, 'OFFLINE')
  }

  /** The session was replaced: its counts are still owed. */
  replaced(tunnel: TunnelSession): void {
    this.#takeUsage(tunnel)
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all([this.#flushRecords(), this.#flushUsage()])
  }

  async #flushRecords(): Promise<void> {
    const { redis, onDropped } = this.#options
    if (this.#recordsDropped > 0) onDropped('record', this.#recordsDropped)
    this.#recordsDropped = 0
    if (this.#records.length === 0 || !redis) return
    const records = this.#records
    const bodies = this.#bodies
    this.#records = []
    this.#bodies = []
    this.#bodyBytes = 0
    try {
      const pipeline = redis.pipeline()
      // Before their records: who reads those finds them.
      for (const [id, { request, response }] of bodies) {
        const key = redisKeys.bodies(id)
        if (request.bytes > 0) pipeline.hset(key, 'request', request.joined())
        if (response.bytes > 0) pipeline.hset(key, 'response', response.joined())
        pipeline.expire(key, bodiesWaitSeconds)
      }
      for (let at = 0; at < records.length; at += batchRecordsMax) {
        const batch: RequestBatch = {
          id: uuidV7(Date.now()),
          records: records.slice(at, at + batchRecordsMax),
        }
        pipeline.xadd(
          redisKeys.requests,
          'MAXLEN',
          '~',
          streamEntriesMax,
          '*',
          'batch',
          JSON.stringify(batch),
        )
      }
      for (const [tunnelId, own] of Map.groupBy(records, (record) => record.tunnelId)) {
        pipeline.publish(redisChannels.traffic(tunnelId), JSON.stringify(own))
      }
      await pipeline.exec()
    } catch {
      // A lost log line never fails a request.
      onDropped('record', records.length)
    }
  }

  async #flushUsage(): Promise<void> {
    const { redis, relayId, sessions } = this.#options
    for (const tunnel of sessions.all()) this.#takeUsage(tunnel)
    if (!redis || redis.status !== 'ready') return
    const counts = [...this.#usage.values()].slice(0, usageCountsMax)
    if (counts.length === 0) return
    for (const { tunnelId } of counts) this.#usage.delete(tunnelId)
    const batch: UsageBatch = {
      id: crypto.randomUUID(),
      relayId,
      at: new Date().toISOString(),
      counts,
    }
    try {
      await redis.xadd(
        redisKeys.usage,
        'MAXLEN',
        '~',
        streamEntriesMax,
        '*',
        'batch',
        JSON.stringify(batch),
      )
    } catch {
      // Whether it arrived is unknown. Counting again could bill twice: rather too little than too much.
      this.#options.onDropped('usage', counts.length)
    }
  }

  #takeUsage(tunnel: TunnelSession): void {
    if (tunnel.requests === 0 && tunnel.bytesIn === 0 && tunnel.bytesOut === 0) return
    const { tunnelId, organizationId } = tunnel.claims
    const known = this.#usage.get(tunnelId)
    if (!known && this.#usage.size >= usageTunnelsMax) {
      this.#options.onDropped('usage', 1)
      return
    }
    const count = known ?? { organizationId, tunnelId, requests: 0, bytesIn: 0, bytesOut: 0 }
    count.requests += tunnel.requests
    count.bytesIn += tunnel.bytesIn
    count.bytesOut += tunnel.bytesOut
    this.#usage.set(tunnelId, count)
    tunnel.requests = 0
    tunnel.bytesIn = 0
    tunnel.bytesOut = 0
  }

  #renewPresence(): Promise<void> {
    return this.#announce([...this.#options.sessions.tunnels()].filter(({ moved }) => !moved))
  }

  async #announce(tunnels: readonly TunnelSession[]): Promise<void> {
    const { redis, relayId, onDropped } = this.#options
    if (tunnels.length === 0 || !redis || redis.status !== 'ready') return
    try {
      const pipeline = redis.pipeline()
      for (const tunnel of tunnels) {
        const { claims } = tunnel
        const presence: Presence = {
          tunnelId: claims.tunnelId,
          organizationId: claims.organizationId,
          relayId,
          sessionId: tunnel.id,
          epoch: claims.epoch,
          since: tunnel.openedAt.toISOString(),
          agentVersion: tunnel.agentVersion,
          connections: tunnel.pool?.active ?? tunnel.active,
        }
        pipeline.set(
          redisKeys.presence(claims.tunnelId),
          JSON.stringify(presence),
          'EX',
          presenceSeconds,
        )
      }
      await pipeline.exec()
    } catch {
      onDropped('presence', tunnels.length)
    }
  }

  #status({ claims }: TunnelSession, status: 'ONLINE' | 'OFFLINE'): void {
    const change: TunnelStatusChange = {
      tunnelId: claims.tunnelId,
      organizationId: claims.organizationId,
      status,
      at: new Date().toISOString(),
    }
    const channel = redisChannels.tunnelStatus(claims.organizationId)
    void this.#options.redis?.publish(channel, JSON.stringify(change)).catch(ignored)
  }
}

/** Presence of a session that took over on another relay must stay. */
const deleteOwn = `local value = redis.call('GET', KEYS[1])
if value and string.find(value, ARGV[1], 1, true) then redis.call('DEL', KEYS[1]) end`

/** Observation fails open: the next renewal, or its expiry, sets it right. */
function ignored(): void {}
