import { actorOf, recordAct } from '@sluice/kit/audit'
import type { EntityManager } from '@sluice/kit/database'
import type { ActAction } from '@sluice/schema/events'

import type { Context } from '../context.ts'
import type { Tunnel } from './tunnel.entity.ts'

/** Tells the audit what was done to a tunnel, in the transaction that does it. */
export function recordTunnelAct(
  em: EntityManager,
  { principal, visitorIp, parts }: Context,
  action: ActAction & `tunnel.${string}`,
  { id, organizationId, name }: Pick<Tunnel, 'id' | 'organizationId' | 'name'>,
  what = '',
): void {
  recordAct(em, {
    action,
    actor: actorOf(principal),
    organizationId,
    target: { type: 'tunnel', id },
    details: what === '' ? name : `${name}: ${what}`,
    ip: visitorIp,
    at: parts.now(),
  })
}
