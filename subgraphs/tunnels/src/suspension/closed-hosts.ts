import { forkSystem, type EntityManager } from '@sluice/kit/database'
import type { EventHandlers } from '@sluice/kit/inbox'
import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'
import { redisChannels } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

import type { Context } from '../context.ts'
import { Organization } from '../organization/organization.entity.ts'
import { WebhookEndpoint } from '../webhook/webhook-endpoint.entity.ts'
import { SuspendedUser } from './suspended-user.entity.ts'

/** A relay holds them in memory. Hosts beyond it look as if their agent were away. */
const closedMax = 20_000
const changedDelayMs = 200

/** Keeps what identity says of suspensions. `changed` is told so that relays learn of it. */
export function suspensionEvents(changed: () => void): EventHandlers {
  return {
    async 'organization.suspension-changed'(em, { organizationId, suspendedAt }) {
      await em.upsert(Organization, { organizationId, suspendedAt: dateOf(suspendedAt) })
      if (suspendedAt === null) await forgetFailures(em, organizationId)
      changed()
    },

    async 'user.suspension-changed'(em, { userId, suspendedAt }) {
      if (suspendedAt === null) await em.nativeDelete(SuspendedUser, { userId })
      else await em.upsert(SuspendedUser, { userId, at: new Date(suspendedAt) })
      changed()
    },
  }
}

/**
 * Hosts that nobody may serve because their organization, or the person who owns the tunnel, is suspended; the latest
 * first. A host that somebody else of the organization serves is served. For relay keys only.
 */
export async function listClosedHosts({ principal, parts }: Context): Promise<string[]> {
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  const rows = await forkSystem(parts.orm).execute<{ name: string }[]>(
    `with closed as (
       select tunnel.id, tunnel.endpoint_host, tunnel.organization_id,
         greatest(organization.suspended_at, person.at) as at
       from tunnels.tunnel
       left join tunnels.organization on organization.organization_id = tunnel.organization_id
       left join tunnels.suspended_user as person on person.user_id = tunnel.owner_id
       where tunnel.deleted_at is null and tunnel.port is null
         and (organization.suspended_at is not null or person.user_id is not null)
     )
     select name from (
       select endpoint_host as name, at from closed
       union all
       select lower(attached.domain), closed.at from closed
       join tunnels.attached_domain as attached
         on attached.tunnel_id = closed.id and attached.organization_id = closed.organization_id
     ) as named order by at desc limit ${closedMax}`,
  )
  return rows.map(({ name }) => name)
}

/** Tells relays that the list has become another. */
export interface ClosedHostTelling {
  /** Soon, so that a transaction which is still open is over by then. */
  changed(): void
  close(): void
}

export function openClosedHostTelling({
  redis,
  log,
}: {
  redis: Redis
  log: Log
}): ClosedHostTelling {
  let timer: NodeJS.Timeout | undefined
  const tell = (): void => {
    timer = undefined
    // Who does not hear it reads the list when it has Redis again.
    redis
      .publish(redisChannels.closedHosts, '')
      .catch((error: unknown) => log.warn({ err: error }, 'closed hosts were not told'))
  }
  return {
    changed() {
      timer ??= setTimeout(tell, changedDelayMs)
    },
    close: () => clearTimeout(timer),
  }
}

/** The time in which nothing was sent is no time in which an endpoint failed. */
async function forgetFailures(em: EntityManager, organizationId: string): Promise<void> {
  const failing = { organizationId, failingSince: { $ne: null } }
  await em.nativeUpdate(WebhookEndpoint, failing, { failingSince: null })
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text)
}
