import type { EntityManager } from '@sluice/kit/database'
import { hasPermission, rolePermissions, roles, type Permission } from '@sluice/schema/permissions'

import { Member } from '../organization/member.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'
import { User } from '../user/user.entity.ts'
import type { MailKind } from './mail.entity.ts'
import { recordMail } from './mail.ts'

/** No more of those who could see to it are told. */
const toldMax = 20

/** Tells those who may see to something in an organization, the longest-serving first. */
export async function mailManagers(
  em: EntityManager,
  mail: { kind: MailKind; organizationId: string; permission: Permission; at: Date },
): Promise<void> {
  const { kind, organizationId, permission, at } = mail
  const managing = roles.filter((role) => hasPermission(rolePermissions[role], permission))
  const custom = await em.find(CustomRole, { organizationId })
  const customRoleIds = custom
    .filter(({ permissions }) => hasPermission(permissions, permission))
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
    const { id: userId, email: address } = user
    recordMail(em, { kind, address, userId, aboutOrganizationId: organizationId, ip: '', at })
  }
}
