import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const UsageBatchSchema = defineEntity({
  name: 'AppliedUsageBatch',
  tableName: 'applied_usage_batch',
  indexes: [{ name: 'applied_usage_batch_age', properties: ['appliedAt'] }],
  properties: {
    id: p.uuid().primary(),
    appliedAt: p.datetime(),
  },
})
/** A batch that was counted: a second delivery stops here. */
export class AppliedUsageBatch extends UsageBatchSchema.class {}
UsageBatchSchema.setClass(AppliedUsageBatch)

const UsageHourSchema = defineEntity({
  name: 'UsageHour',
  tableName: 'usage_hour',
  filters: tenantFilter,
  indexes: [
    {
      name: 'usage_hour_to_roll_up',
      properties: ['organizationId'],
      where: { rolledUp: false },
    },
  ],
  properties: {
    organizationId: p.uuid().primary(),
    /** The first instant of the hour, UTC. */
    hour: p.datetime().primary(),
    tunnelId: p.uuid().primary(),
    requests: p.bigint(),
    bytesIn: p.bigint(),
    bytesOut: p.bigint(),
    /** False while the period's total does not hold the latest counts. */
    rolledUp: p.boolean(),
  },
})
/** What one tunnel carried in one hour: the raw counts. */
export class UsageHour extends UsageHourSchema.class {}
UsageHourSchema.setClass(UsageHour)

const UsagePeriodSchema = defineEntity({
  name: 'UsagePeriod',
  tableName: 'usage_period',
  filters: tenantFilter,
  properties: {
    organizationId: p.uuid().primary(),
    periodStart: p.datetime().primary(),
    requests: p.bigint(),
    bytes: p.bigint(),
    rolledUpAt: p.datetime(),
  },
})
/** What an organization used in one period, rolled up from the hours. */
export class UsagePeriod extends UsagePeriodSchema.class {}
UsagePeriodSchema.setClass(UsagePeriod)

const UsageDeadLetterSchema = defineEntity({
  name: 'UsageDeadLetter',
  tableName: 'usage_dead_letter',
  properties: {
    /** The id of the stream's entry, with the stream: an entry is recorded once. */
    id: p.string().length(200).primary(),
    text: p.text(),
    reason: p.text(),
    receivedAt: p.datetime(),
  },
})
/** A batch that could not be counted, with the reason. */
export class UsageDeadLetter extends UsageDeadLetterSchema.class {}
UsageDeadLetterSchema.setClass(UsageDeadLetter)
