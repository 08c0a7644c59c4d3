import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import type { CapturedBody } from './captured-body.ts'

type HeaderList = [name: string, value: string][]

const CapturedRequestSchema = defineEntity({
  name: 'CapturedRequest',
  tableName: 'captured_request',
  filters: tenantFilter,
  properties: {
    /** A UUIDv7 made by the relay. In the table the key is (id, started_at), as a partitioned table demands. */
    id: p.uuid().primary(),
    /** The order of storing: what a live reader continues after. Rises without a row appearing late below it. */
    sequence: p.bigint('string'),
    organizationId: p.uuid(),
    tunnelId: p.uuid(),
    relayId: p.string().length(64),
    endpointHost: p.string().length(253),
    startedAt: p.datetime(),
    method: p.string().length(64),
    path: p.string().length(2048),
    protocol: p.string().length(16),
    status: p.integer(),
    code: p.string().length(64).nullable(),
    visitorIp: p.string().length(64),
    requestBytes: p.float(),
    responseBytes: p.float(),
    durationMs: p.float(),
    firstByteMs: p.float().nullable(),
    requestHeaders: p.json<HeaderList>(),
    responseHeaders: p.json<HeaderList>(),
    /** The bytes are in the object store. Null: not captured, or none was sent. */
    requestBody: p.json<CapturedBody>().nullable(),
    responseBody: p.json<CapturedBody>().nullable(),
  },
})

/** The stored metadata of one visitor request. Written by `storeRequests` alone. */
export class CapturedRequest extends CapturedRequestSchema.class {}
CapturedRequestSchema.setClass(CapturedRequest)
