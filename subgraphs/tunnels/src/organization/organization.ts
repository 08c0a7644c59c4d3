import type { EntityManager } from '@sluice/kit/database'
import type { EventHandlers } from '@sluice/kit/inbox'
import { SluiceError } from '@sluice/schema/errors'
import { Entitlements, freeEntitlements } from '@sluice/schema/events'

import { deleteTunnelsOf } from '../tunnel/delete-tunnels.ts'
import { Organization } from './organization.entity.ts'

/** What an agent token holds of its organization. Throws SLUICE_ORGANIZATION_SUSPENDED for a request that was on its way then. */
export async function termsOf(em: EntityManager, organizationId: string) {
  const organization = await em.findOne(Organization, { organizationId })
  if (organization?.suspendedAt) {
    // Whoever asks anew is told by identity, which knows it.
    const reason = 'the reason stands in the console'
    throw new SluiceError('SLUICE_ORGANIZATION_SUSPENDED', { reason })
  }
  return {
    entitlements: organization?.entitlements ?? freeEntitlements,
    visitNotice: organization?.visitNotice ?? false,
  }
}

export async function entitlementsOf(
  em: EntityManager,
  organizationId: string,
): Promise<Entitlements> {
  const organization = await em.findOne(Organization, { organizationId })
  return organization?.entitlements ?? freeEntitlements
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
  const [row] = await em.execute<{ entitlements: unknown; deleted_at: string | null }[]>(
    `select entitlements, deleted_at from tunnels.organization where organization_id = ? for update`,
    [organizationId],
  )
  if (row?.deleted_at) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  return row?.entitlements ? Entitlements.parse(row.entitlements) : freeEntitlements
}

/**
 * Keeps the copy of plans, and deletes what a deleted organization had. `changed` is told so that open sessions follow,
 * `deleted` so that hosts are forgotten; sessions are ended by the revocation of the organization.
 */
export function organizationEvents(
  changed: (organizationId: string) => void,
  deleted: () => void,
): EventHandlers {
  return {
    async 'entitlements.changed'(em, { organizationId, planId, entitlements }) {
      await em.upsert(Organization, { organizationId, planId, entitlements })
      changed(organizationId)
    },

    async 'organization.deleted'(em, { organizationId }) {
      // Under the lock of whoever makes a tunnel: theirs is found below, or refused.
      await em.upsert(Organization, { organizationId, deletedAt: new Date() })
      await deleteTunnelsOf(em, organizationId)
      deleted()
    },
  }
}
