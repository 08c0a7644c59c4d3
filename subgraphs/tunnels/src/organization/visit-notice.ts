import { actorOf, recordAct } from '@sluice/kit/audit'
import { forkSystem } from '@sluice/kit/database'
import { assertSignedIn } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { announceChange } from '../tunnel/announce.ts'
import { startedTunnelsOf } from '../tunnel/tell-changes.ts'

/** Has browsers asked before they visit the tunnels of an organization, or no longer. For staff of the platform only. */
export async function setVisitNotice(
  { principal, visitorIp, parts }: Context,
  organizationId: string,
  isOn: boolean,
): Promise<string> {
  assertSignedIn(principal)
  if (!principal.isAdmin) throw new SluiceError('SLUICE_FORBIDDEN')
  if (!isUuid(organizationId)) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  await forkSystem(parts.orm).transactional(async (em) => {
    const changed = await em.execute<unknown[]>(
      `insert into tunnels.organization (organization_id, visit_notice) values (?, ?)
       on conflict (organization_id) do update set visit_notice = excluded.visit_notice
       where organization.visit_notice <> excluded.visit_notice returning organization_id`,
      [organizationId, isOn],
    )
    if (changed.length === 0) return
    recordAct(em, {
      action: 'organization.visit-notice-changed',
      actor: actorOf(principal),
      organizationId,
      target: { type: 'organization', id: organizationId },
      details: isOn ? 'on' : 'off',
      ip: visitorIp,
      at: parts.now(),
    })
  })
  await announceChange(parts, await startedTunnelsOf(parts.orm, [organizationId]))
  return organizationId
}
