import { LockMode } from '@mikro-orm/core'
import { recordAct, system } from '@sluice/kit/audit'
import type { EntityManager } from '@sluice/kit/database'
import { recordEvent } from '@sluice/kit/outbox'

import { releaseHost } from './released-host.ts'
import { Tunnel } from './tunnel.entity.ts'

/** Deletes every tunnel of an organization that is gone. Part of the caller's transaction; a second time finds none. */
export async function deleteTunnelsOf(em: EntityManager, organizationId: string): Promise<void> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } } as const
  const at = new Date()
  for (const tunnel of await em.find(Tunnel, { organizationId, deletedAt: null }, lock)) {
    const { id, name, endpointHost } = tunnel
    Object.assign(tunnel, { startedAt: null, stoppedAt: at, deletedAt: at })
    releaseHost(em, tunnel, at)
    recordEvent(em, 'tunnel.deleted', `tunnel:${id}`, {
      organizationId,
      tunnelId: id,
      endpointHost,
    })
    recordAct(em, {
      action: 'tunnel.deleted',
      actor: system,
      organizationId,
      target: { type: 'tunnel', id },
      details: `${name}: the organization was deleted`,
      at,
    })
  }
  await em.flush()
}
