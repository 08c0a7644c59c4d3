import { forkFor, forkSystem } from '@sluice/kit/database'
import type { Principal } from '@sluice/kit/principal'
import { memberOf, openDatabase } from '@sluice/kit/testing'
import type { UsageBatch } from '@sluice/schema/redis'
import { inject, onTestFinished } from 'vitest'

import type { Context } from '../context.ts'
import { createLoaders } from '../loaders.ts'
import { database } from '../orm.ts'
import { PlanSubscription } from '../plan/plan-subscription.entity.ts'
import { KnownTunnel } from '../tunnel/known-tunnel.entity.ts'

/** When the tests of this subgraph happen. */
export const today = new Date('2026-11-21T12:00:00Z')

/** Two organizations without a row of theirs yet, on a database of their own. */
export async function createWorld() {
  const db = await openDatabase({ serverUrl: inject('databaseUrl'), ...database })
  onTestFinished(() => db[Symbol.asyncDispose]())
  const acme = crypto.randomUUID()
  const globex = crypto.randomUUID()
  const system = () => forkSystem(db.orm)
  const now = () => today

  const contextFor = (principal: Principal): Context => {
    const em = forkFor(db.orm, principal)
    const loaders = createLoaders(em, system, now)
    return { principal, visitorIp: '192.0.2.7', em, systemEm: system, now, loaders }
  }
  return {
    db,
    system,
    acme,
    globex,
    contextFor,
    /** The context of an owner of Acme. */
    asAcme: () => contextFor(memberOf(acme)),
    /** The context of staff of the platform, in no organization. */
    asAdmin: () => contextFor({ ...memberOf(acme), memberships: [], isAdmin: true }),
    subscribe: async (organizationId: string, startedAt: string, planId = 'free') => {
      const em = system()
      em.create(PlanSubscription, { organizationId, planId, startedAt: new Date(startedAt) })
      await em.flush()
    },
    tunnel: async (organizationId: string) => {
      const em = system()
      em.create(KnownTunnel, { id: crypto.randomUUID(), organizationId })
      await em.flush()
    },
    /** Names and payloads of the events recorded so far, in order; what was told the audit apart. */
    events: () =>
      system().execute<{ name: string; entity: string; payload: Record<string, unknown> }[]>(
        `select name, entity, payload from billing.outbox_event where name <> 'act.recorded' order by sequence`,
      ),
    totals: async () => {
      const rows = await system().execute<
        { organization_id: string; period_start: string; requests: string; bytes: string }[]
      >('select * from billing.usage_period order by organization_id, period_start')
      return rows.map((row) => ({
        organizationId: row.organization_id,
        periodStart: new Date(row.period_start).toISOString(),
        requests: Number(row.requests),
        bytes: Number(row.bytes),
      }))
    },
  }
}

/** A batch of a relay with counts of one request and ten bytes per organization, unless said otherwise. */
export function batchOf(
  organizationIds: string[],
  overrides: { id?: string; at?: string; tunnelId?: string; requests?: number } = {},
): UsageBatch {
  const { id, at, tunnelId = crypto.randomUUID(), requests = 1 } = overrides
  return {
    id: id ?? crypto.randomUUID(),
    relayId: 'relay',
    at: at ?? today.toISOString(),
    counts: organizationIds.map((organizationId) => ({
      organizationId,
      tunnelId,
      requests,
      bytesIn: 4 * requests,
      bytesOut: 6 * requests,
    })),
  }
}
