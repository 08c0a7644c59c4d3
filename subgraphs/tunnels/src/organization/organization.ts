import type { EntityManager } from '@sluice/kit/database'
import type { EventHandlers } from '@sluice/kit/inbox'
import { Entitlements, freeEntitlements } from '@sluice/schema/events'

import { Organization } from './organization.entity.ts'

/** What an agent token holds of its organization. */
export async function termsOf(em: EntityManager, organizationId: string) {
  const organization = await em.findOne(Organization, { organizationId })
  return {
    entitlements: organization?.entitlements ?? freeEntitlements,
    visitNotice: organization?.visitNotice ?? false,
  }
}

export async function entitlementsOf(
  em: EntityManager,
  organizationId: string,
): Promise<Entitlements> {
  return (await termsOf(em, organizationId)).entitlements
}

/** Holds the organization until the transaction ends: whoever counts its tunnels meanwhile waits. */
export async function lockOrganization(
  em: EntityManager,
  organizationId: string,
): Promise<Entitlements> {
  await em.execute(
    `insert into tunnels.organization (organization_id) values (?) on conflict do nothing`,
    [organizationId],
  )
  const [row] = await em.execute<{ entitlements: unknown }[]>(
    `select entitlements from tunnels.organization where organization_id = ? for update`,
    [organizationId],
  )
  return row?.entitlements ? Entitlements.parse(row.entitlements) : freeEntitlements
}

/** Keeps the copy of plans; `changed` is told so that open sessions follow. */
export function organizationEvents(changed: (organizationId: string) => void): EventHandlers {
  return {
    async 'entitlements.changed'(em, { organizationId, planId, entitlements }) {
      await em.upsert(Organization, { organizationId, planId, entitlements })
      changed(organizationId)
    },
  }
}
