import type { Entitlements } from '@sluice/schema/events'

import { builder } from '../builder.ts'
import { periodOf } from './period.ts'
import type { PlanSubscription } from './plan-subscription.entity.ts'
import { changePlan, mayReadBilling, planOf } from './plan-subscription.ts'
import { findPlan, plans, type Plan } from './plans.ts'

const EntitlementsType = builder.objectRef<Entitlements>('Entitlements').implement({
  tag: 'public',
  description: 'What an organization may do, and how much of it.',
  fields: (t) => ({
    maxTunnels: t.exposeInt('maxTunnels', { description: 'Tunnels at once.' }),
    maxConcurrentConnections: t.exposeInt('maxConcurrentConnections', {
      description: 'Visitor connections that one tunnel serves at once.',
    }),
    portTunnels: t.exposeBoolean('portTunnels', {
      description: 'Tunnels of TCP and UDP, with public ports of their own.',
    }),
    maxCustomDomains: t.exposeInt('maxCustomDomains', { description: 'Custom domains.' }),
    maxMembers: t.exposeInt('maxMembers', { description: 'Members.' }),
    requestsPerPeriod: t.exposeFloat('requestsPerPeriod', {
      description: 'Visitor requests in a period.',
    }),
    bytesPerPeriod: t.exposeFloat('bytesPerPeriod', {
      description: 'Bytes in a period, both directions together.',
    }),
    requestLogDays: t.exposeInt('requestLogDays', {
      description: 'How many days captured requests are kept.',
    }),
  }),
})

const PlanType = builder.objectRef<Plan>('Plan').implement({
  tag: 'public',
  description: 'A named set of entitlements at a price.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'free, starter, pro or business.' }),
    name: t.exposeString('name', { description: 'The name to show.' }),
    description: t.exposeString('description', { description: 'Whom it is for.' }),
    monthlyPriceMinor: t.exposeInt('monthlyPriceMinor', {
      description: 'Price per month in the smallest unit of the currency, such as cents.',
    }),
    currency: t.exposeString('currency', { description: 'ISO 4217, such as USD.' }),
    entitlements: t.field({
      type: EntitlementsType,
      description: 'What it allows.',
      resolve: ({ entitlements }) => entitlements,
    }),
  }),
})
builder.asEntity(PlanType, {
  key: builder.selection<{ id: string }>('id'),
  // Plans are public: there is nothing to authorize.
  resolveReference: ({ id }) => findPlan(id),
})

const PlanSubscriptionType = builder.objectRef<PlanSubscription>('PlanSubscription').implement({
  tag: 'public',
  description:
    'The plan an organization has. Periods are calendar months from the day it started, UTC.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id.' }),
    plan: t.field({
      type: PlanType,
      description: 'The plan.',
      resolve: (subscription) => planOf(subscription),
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      description: 'When the organization was first subscribed; a change of plan keeps it.',
    }),
    periodStart: t.field({
      type: 'DateTime',
      description: 'The first instant of the current period.',
      resolve: ({ startedAt }, _args, { now }) => periodOf(startedAt, now()).start,
    }),
    periodEnd: t.field({
      type: 'DateTime',
      description: 'The first instant of the next period.',
      resolve: ({ startedAt }, _args, { now }) => periodOf(startedAt, now()).end,
    }),
  }),
})
builder.asEntity(PlanSubscriptionType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: async ({ id }, context) => {
    const subscription = await context.loaders.subscriptionById.load(id)
    if (!subscription) return null
    return mayReadBilling(context, subscription.organizationId) ? subscription : null
  },
})

/** Described in identity, where it is at home. */
export const OrganizationType = builder.objectRef<{ id: string }>('Organization').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    plan: t.field({
      tag: 'public',
      type: PlanType,
      nullable: true,
      description: 'The plan it has.',
      resolve: async ({ id }, _args, context) => {
        if (!mayReadBilling(context, id)) return null
        return planOf(await context.loaders.subscription.load(id))
      },
    }),
    planSubscription: t.field({
      tag: 'public',
      type: PlanSubscriptionType,
      nullable: true,
      description: 'Since when it has the plan, and the current period.',
      resolve: async ({ id }, _args, context) =>
        mayReadBilling(context, id) ? context.loaders.subscription.load(id) : null,
    }),
    entitlements: t.field({
      tag: 'public',
      type: EntitlementsType,
      nullable: true,
      description: 'What it may do now.',
      resolve: async ({ id }, _args, context) => {
        if (!mayReadBilling(context, id)) return null
        return planOf(await context.loaders.subscription.load(id)).entitlements
      },
    }),
  }),
})
builder.asEntity(OrganizationType, {
  key: builder.selection<{ id: string }>('id'),
  // Holds nothing but the id; each field asks whether it may be read.
  resolveReference: ({ id }) => ({ id }),
})

builder.queryField('plans', (t) =>
  t.field({
    tag: 'public',
    listSize: { assumedSize: 4 },
    type: [PlanType],
    description: 'All plans, the smallest first; also for the anonymous.',
    resolve: () => [...plans],
  }),
)

builder.mutationField('changePlan', (t) =>
  t.field({
    type: PlanSubscriptionType,
    description: 'Puts an organization on another plan. For staff of the platform.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'Whose plan changes.' }),
      planId: t.arg.id({ required: true, description: 'The plan from now on.' }),
    },
    resolve: (_root, args, context) => changePlan(context, args),
  }),
)
