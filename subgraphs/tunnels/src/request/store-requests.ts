import { isUuid } from '@sluice/kit/uuid'
import { redisChannels, type RequestRecord } from '@sluice/schema/redis'

import type { JobDeps } from '../job-deps.ts'
import { tellCapturedRequests } from '../webhook/tell-webhooks.ts'
import { keepBodies, type CapturedBodies } from './captured-body.ts'
import { createPartitions, dayOf, lockStorage } from './partition.ts'

export interface StoredRequests {
  stored: number
  /** Seen before: the queue delivers at least once. */
  repeated: number
  /** Not storable: from another time, or of no organization. */
  dropped: number
}

/** Records from further back or ahead would make partitions that retention drops, or that never fill. */
const agedDaysMax = 7
const aheadMsMax = 3_600_000
const dayMs = 86_400_000

/** Stores requests, each once however often it comes, and tells the live readers of their organizations. */
export async function storeRequests(
  deps: JobDeps,
  records: readonly RequestRecord[],
): Promise<StoredRequests> {
  const { em, redis, now, log } = deps
  const at = now().getTime()
  const storable = await Promise.all(
    records
      .filter((record) => isStorable(record, at))
      .map(async (record) => rowOf(record, await keepBodies(deps, record))),
  )
  const dropped = records.length - storable.length
  if (storable.length === 0) return { stored: 0, repeated: 0, dropped }

  const stored = await em().transactional(async (locked) => {
    await lockStorage(locked)
    await createPartitions(
      locked,
      storable.map(({ started_at: startedAt }) => dayOf(new Date(startedAt))),
    )
    const rows = await locked.execute<{ id: string; organization_id: string }[]>(
      `insert into tunnels.captured_request (${columns.map(([name]) => name).join(', ')})
       select ${columns.map(([name]) => name).join(', ')}
       from jsonb_to_recordset(?::jsonb) as record(${columns.map((column) => column.join(' ')).join(', ')})
       on conflict do nothing returning id, organization_id`,
      [JSON.stringify(storable)],
    )
    const fresh = new Set(rows.map(({ id }) => id))
    await tellCapturedRequests(
      locked,
      records.filter(({ id }) => fresh.has(id)),
      now(),
    )
    return rows
  })

  for (const [organizationId, rows] of Map.groupBy(stored, (row) => row.organization_id)) {
    const message = JSON.stringify({ requestIds: rows.map(({ id }) => id) })
    // Without it live readers find the rows at their next look.
    await redis
      .publish(redisChannels.requestsStored(organizationId), message)
      .catch((error: unknown) => log.warn({ err: error }, 'stored requests were not told'))
  }
  return { stored: stored.length, repeated: storable.length - stored.length, dropped }
}

const columns = [
  ['id', 'uuid'],
  ['organization_id', 'uuid'],
  ['tunnel_id', 'uuid'],
  ['relay_id', 'text'],
  ['endpoint_host', 'text'],
  ['started_at', 'timestamptz'],
  ['method', 'text'],
  ['path', 'text'],
  ['protocol', 'text'],
  ['status', 'int'],
  ['code', 'text'],
  ['visitor_ip', 'text'],
  ['request_bytes', 'double precision'],
  ['response_bytes', 'double precision'],
  ['duration_ms', 'double precision'],
  ['first_byte_ms', 'double precision'],
  ['request_headers', 'jsonb'],
  ['response_headers', 'jsonb'],
  ['request_body', 'jsonb'],
  ['response_body', 'jsonb'],
] as const

type Row = Record<(typeof columns)[number][0], unknown> & { started_at: string }

function isStorable(record: RequestRecord, now: number): boolean {
  const startedAt = Date.parse(record.startedAt)
  return (
    isUuid(record.organizationId) &&
    isUuid(record.tunnelId) &&
    startedAt > now - agedDaysMax * dayMs &&
    startedAt < now + aheadMsMax
  )
}

function rowOf(record: RequestRecord, bodies: CapturedBodies): Row {
  return {
    id: record.id,
    organization_id: record.organizationId,
    tunnel_id: record.tunnelId,
    relay_id: textOf(record.relayId, 64),
    endpoint_host: textOf(record.endpointHost, 253),
    // Whole milliseconds, as cursors have them.
    started_at: new Date(record.startedAt).toISOString(),
    method: textOf(record.method, 64),
    path: textOf(record.path, 2048),
    protocol: record.protocol,
    status: record.status,
    code: record.code === null ? null : textOf(record.code, 64),
    visitor_ip: textOf(record.visitorIp, 64),
    request_bytes: record.requestBytes,
    response_bytes: record.responseBytes,
    duration_ms: record.durationMs,
    first_byte_ms: record.firstByteMs,
    request_headers: headersOf(record.requestHeaders),
    response_headers: headersOf(record.responseHeaders),
    request_body: bodies.request,
    response_body: bodies.response,
  }
}

function headersOf(headers: RequestRecord['requestHeaders']): [string, string][] {
  return headers.map(([name, value]) => [textOf(name), textOf(value)])
}

/** PostgreSQL takes no NUL and no half of a surrogate pair; what a visitor sent must not stop the batch. */
function textOf(text: string, charactersMax = Infinity): string {
  return text.toWellFormed().replaceAll('\0', '').slice(0, charactersMax).toWellFormed()
}
