import type { EntityManager } from '@sluice/kit/database'
import type { EventPayload } from '@sluice/schema/events'
import { hasPermission, rolePermissions, roles } from '@sluice/schema/permissions'

import { Member } from '../organization/member.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'
import { User } from '../user/user.entity.ts'
import { recordMail } from './mail.ts'

/** No more of those who could see to it are told. */
const toldMax = 20
const managing = roles.filter((role) => hasPermission(rolePermissions[role], 'webhooks.manage'))

/** Tells those who manage the webhooks of an organization that one was switched off by itself. */
export async function mailWebhookDisabled(
  em: EntityManager,
  { organizationId, at }: EventPayload<'act.recorded'>,
): Promise<void> {
  if (organizationId === null) return
  const custom = await em.find(CustomRole, { organizationId })
  const customRoleIds = custom
    .filter(({ permissions }) => hasPermission(permissions, 'webhooks.manage'))
    .map(({ id }) => id)
  const members = await em.find(
    Member,
    {
      organizationId,
      $or: [
        { customRoleId: null, role: { $in: managing } },
        { customRoleId: { $in: customRoleIds } },
      ],
    },
    { orderBy: { joinedAt: 'asc', id: 'asc' }, limit: toldMax },
  )
  const ids = members.map(({ userId }) => userId)
  for (const user of await em.find(User, { id: { $in: ids }, suspendedAt: null })) {
    recordMail(em, {
      kind: 'webhook-disabled',
      address: user.email,
      userId: user.id,
      aboutOrganizationId: organizationId,
      ip: '',
      at: new Date(at),
    })
  }
}
