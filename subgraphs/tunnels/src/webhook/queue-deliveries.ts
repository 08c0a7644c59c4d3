import type { EntityManager } from '@sluice/kit/database'
import type { testEvent, WebhookEvent } from '@sluice/schema/webhook-events'

/** What happened, as it is told. */
export interface WebhookMessage {
  /** Stays the same however often the fact is heard of, so that an endpoint is told once. */
  readonly id: string
  readonly event: WebhookEvent | typeof testEvent
  readonly organizationId: string
  readonly occurredAt: Date
  readonly data: Readonly<Record<string, unknown>>
}

/** More of them wait only where nobody has taken any for long: what comes then is not kept. */
const pendingPerEndpointMax = 10_000

/**
 * Queues messages for every endpoint of their organizations that takes them, in the caller's transaction. Of
 * `request.captured` each endpoint gets as many per minute as it wants.
 */
export async function queueDeliveries(
  em: EntityManager,
  messages: readonly WebhookMessage[],
  now: Date,
): Promise<void> {
  if (messages.length === 0) return
  const rows = messages.map(({ id, event, organizationId, occurredAt, data }) => ({
    id,
    event,
    organization_id: organizationId,
    occurred_at: occurredAt.toISOString(),
    data,
  }))
  const at = now.toISOString()
  await em.execute(
    `with wanted as (
       select endpoint.id as endpoint_id, endpoint.captured_per_minute_max as captured_max, message.*,
         row_number() over (partition by endpoint.id, message.event order by message.occurred_at) as place
       from jsonb_to_recordset(?::jsonb) as message
         (id text, event text, organization_id uuid, occurred_at timestamptz, data jsonb)
       join tunnels.webhook_endpoint as endpoint
         on endpoint.organization_id = message.organization_id and endpoint.is_enabled
         and jsonb_exists(endpoint.events, message.event)
     ), room as (
       select endpoint_id,
         (select count(*) from tunnels.webhook_delivery as waiting
          where waiting.endpoint_id = one.endpoint_id and waiting.state = 'PENDING') as pending,
         (select count(*) from tunnels.webhook_delivery as told
          where told.endpoint_id = one.endpoint_id and told.event = 'request.captured'
            and told.created_at > ?::timestamptz - interval '1 minute') as captured
       from (select distinct endpoint_id from wanted) as one
     )
     insert into tunnels.webhook_delivery
       (id, organization_id, endpoint_id, message_id, event, occurred_at, data, state, attempts, attempt_log, next_attempt_at, created_at)
     select gen_random_uuid(), organization_id, endpoint_id, id, event, occurred_at, data, 'PENDING', 0, '[]'::jsonb,
       ?::timestamptz, ?::timestamptz
     from wanted join room using (endpoint_id)
     where pending + place <= ${pendingPerEndpointMax}
       and (event <> 'request.captured' or captured + place <= captured_max)
     on conflict do nothing`,
    [JSON.stringify(rows), at, at, at],
  )
}
