import { createHmac } from 'node:crypto'

import { guardedFetch, type Guard } from '@sluice/kit/guarded-fetch'
import { signedPutHeaders } from '@sluice/kit/s3-put'

import type { AuditStream } from './audit-stream.entity.ts'
import { jsonOf } from './export-audit.ts'
import type { AuditRecord } from './search-audit.ts'

const answerBytesMax = 64 * 1024
const sendTimeoutMs = 10_000

/** The place did not take it; says only what may be shown. */
export class NotTakenError extends Error {
  override readonly name = 'NotTakenError'
}

interface Sending {
  readonly stream: AuditStream
  readonly secret: string
  /** At least one, in the order of the chain. */
  readonly records: readonly AuditRecord[]
  readonly now: Date
  readonly guard: Guard
  readonly signal: AbortSignal
}

/** Sends entries to where a stream leads. The same entries have the same id, or key: twice is the same as once. */
export async function sendEntries(sending: Sending): Promise<void> {
  const { stream, guard, signal } = sending
  const request = stream.kind === 'webhook' ? webhookOf(sending) : await objectOf(sending)
  const { url, ...rest } = request
  const limits = { timeoutMs: sendTimeoutMs, bytesMax: answerBytesMax, signal }
  const { status } = await guardedFetch(url, { ...rest, ...limits }, guard)
  if (status < 200 || status > 299) throw new NotTakenError(`it answered ${status}`)
}

/** Signed as Standard Webhooks has it: HMAC-SHA256 over id, time and body. */
function webhookOf({ stream, secret, records, now }: Sending) {
  const [first, last] = range(records)
  const id = `${stream.id}_${first}-${last}`
  const body = JSON.stringify({
    type: 'audit.entries',
    timestamp: now.toISOString(),
    data: {
      organizationId: stream.organizationId,
      entries: records.map((record) => JSON.parse(jsonOf(record)) as unknown),
    },
  })
  const seconds = Math.floor(now.getTime() / 1000)
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  }
  return { url: stream.url, method: 'POST', headers, body }
}

/** An object of JSON Lines, named by its day and places in the chain, put with Signature Version 4. */
async function objectOf({ stream, secret, records, now }: Sending) {
  const [first, last] = range(records)
  const day = records[0]?.at.toISOString().slice(0, 10).replaceAll('-', '/') ?? ''
  const name = `${String(first).padStart(12, '0')}-${String(last).padStart(12, '0')}.jsonl`
  const base = stream.url.replace(/\/$/, '')
  const url = `${base}/${stream.organizationId}/${day}/${name}`
  const body = records.map((record) => `${jsonOf(record)}\n`).join('')
  const headers = await signedPutHeaders({
    url,
    body,
    contentType: 'application/jsonl',
    region: stream.region ?? '',
    accessKeyId: stream.accessKeyId ?? '',
    secretAccessKey: secret,
    now,
  })
  return { url, method: 'PUT', headers, body }
}

function range(records: readonly AuditRecord[]): [number, number] {
  return [records[0]?.sequence ?? 0, records.at(-1)?.sequence ?? 0]
}
