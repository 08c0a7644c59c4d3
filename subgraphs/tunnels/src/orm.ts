import type { DatabaseOptions } from '@sluice/kit/database'
import { InboxEvent, InboxVersion } from '@sluice/kit/inbox'
import { SigningKey } from '@sluice/kit/key-ring'
import { OutboxEvent } from '@sluice/kit/outbox'

import { AttachedDomain } from './domain/attached-domain.entity.ts'
import { Organization } from './organization/organization.entity.ts'
import { AgentSession } from './relay/agent-session.entity.ts'
import { Relay } from './relay/relay.entity.ts'
import { CapturedRequest } from './request/captured-request.entity.ts'
import { DeadLetter } from './request/dead-letter.entity.ts'
import { SuspendedHost } from './suspension/suspended-host.entity.ts'
import { SuspendedUser } from './suspension/suspended-user.entity.ts'
import { ReleasedHost } from './tunnel/released-host.entity.ts'
import { Tunnel } from './tunnel/tunnel.entity.ts'
import { WebhookDelivery } from './webhook/webhook-delivery.entity.ts'
import { WebhookEndpoint } from './webhook/webhook-endpoint.entity.ts'
import { WebhookPresence } from './webhook/webhook-presence.entity.ts'

export const database: Omit<DatabaseOptions, 'databaseUrl'> = {
  schema: 'tunnels',
  entities: [
    Tunnel,
    ReleasedHost,
    Organization,
    AttachedDomain,
    Relay,
    AgentSession,
    CapturedRequest,
    DeadLetter,
    WebhookEndpoint,
    WebhookDelivery,
    WebhookPresence,
    SuspendedHost,
    SuspendedUser,
    SigningKey,
    OutboxEvent,
    InboxEvent,
    InboxVersion,
  ],
  migrationsPath: `${import.meta.dirname}/../migrations`,
  // MikroORM declares partitions by a fixed list, ours come and go by the day: a migration of our own makes the table.
  skipTables: [/^captured_request/],
}
