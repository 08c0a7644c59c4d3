import { builder } from '../builder.ts'
import { mayReadBilling } from '../plan/plan-subscription.ts'
import { OrganizationType } from '../plan/plan.graph.ts'
import type { Meter, Usage } from './usage.ts'

const MeterType = builder.objectRef<Meter>('Meter').implement({
  tag: 'public',
  description: 'How much of one entitlement is used.',
  fields: (t) => ({
    used: t.exposeFloat('used', { description: 'Used so far.' }),
    limit: t.exposeFloat('limit', { description: 'What the plan allows.' }),
  }),
})

const UsageType = builder.objectRef<Usage>('Usage').implement({
  tag: 'public',
  description: 'What an organization uses in the current period. Counts arrive within seconds.',
  fields: (t) => ({
    periodStart: t.field({
      type: 'DateTime',
      description: 'The first instant of the period.',
      resolve: ({ period }) => period.start,
    }),
    periodEnd: t.field({
      type: 'DateTime',
      description: 'The first instant of the next period.',
      resolve: ({ period }) => period.end,
    }),
    tunnels: t.field({
      type: MeterType,
      description: 'Tunnels that exist now.',
      resolve: ({ tunnels }) => tunnels,
    }),
    requests: t.field({
      type: MeterType,
      description: 'Visitor requests in the period.',
      resolve: ({ requests }) => requests,
    }),
    bytes: t.field({
      type: MeterType,
      description: 'Bytes in the period, both directions together.',
      resolve: ({ bytes }) => bytes,
    }),
  }),
})

builder.objectField(OrganizationType, 'usage', (t) =>
  t.field({
    tag: 'public',
    type: UsageType,
    nullable: true,
    description: 'What it uses in the current period.',
    resolve: async ({ id }, _args, context) => {
      if (!mayReadBilling(context, id)) return null
      return context.loaders.usage.load(await context.loaders.subscription.load(id))
    },
  }),
)
