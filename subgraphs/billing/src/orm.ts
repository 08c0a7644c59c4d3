import type { DatabaseOptions } from '@sluice/kit/database'
import { InboxEvent, InboxVersion } from '@sluice/kit/inbox'
import { OutboxEvent } from '@sluice/kit/outbox'

import { PlanSubscription } from './plan/plan-subscription.entity.ts'
import { KnownTunnel } from './tunnel/known-tunnel.entity.ts'
import { AppliedUsageBatch, UsageDeadLetter, UsageHour, UsagePeriod } from './usage/usage.entity.ts'

/** The tables of billing: everything `openOrm` needs but the address of the database. */
export const database = {
  schema: 'billing',
  entities: [
    PlanSubscription,
    KnownTunnel,
    AppliedUsageBatch,
    UsageHour,
    UsagePeriod,
    UsageDeadLetter,
    OutboxEvent,
    InboxEvent,
    InboxVersion,
  ],
  migrationsPath: `${import.meta.dirname}/../migrations`,
} satisfies Omit<DatabaseOptions, 'databaseUrl'>
