import type { DatabaseOptions } from '@sluice/kit/database'
import { InboxEvent, InboxVersion } from '@sluice/kit/inbox'
import { OutboxEvent } from '@sluice/kit/outbox'

import { Certificate } from './certificate/certificate.entity.ts'
import { CustomDomain } from './domain/custom-domain.entity.ts'
import { Allowance } from './organization/allowance.entity.ts'
import { KnownTunnel } from './tunnel/known-tunnel.entity.ts'

/** The tables of domains: everything `openOrm` needs but the address of the database. */
export const database = {
  schema: 'domains',
  entities: [
    CustomDomain,
    Certificate,
    Allowance,
    KnownTunnel,
    OutboxEvent,
    InboxEvent,
    InboxVersion,
  ],
  migrationsPath: `${import.meta.dirname}/../migrations`,
} satisfies Omit<DatabaseOptions, 'databaseUrl'>
