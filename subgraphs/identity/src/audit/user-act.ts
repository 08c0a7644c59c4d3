import type { EntityManager } from '@sluice/kit/database'

import { Member } from '../organization/member.entity.ts'
import type { User } from '../user/user.entity.ts'
import { recordAct, type AuditAction } from './audit.ts'

interface UserAct {
  readonly action: AuditAction
  /** Who did it, to their own account. */
  readonly user: User
  /** The sign-in that it was done to; the account itself if left out. */
  readonly signInId?: string
  readonly details?: string
  readonly ip: string
  readonly at: Date
}

/** What somebody does to their account concerns every organization they can enter with it: each finds it in its audit. */
export async function recordUserAct(em: EntityManager, act: UserAct): Promise<void> {
  const { action, user, signInId, details, ip, at } = act
  const members = await em.find(Member, { userId: user.id })
  const organizationIds = members.map((member) => member.organizationId)
  for (const organizationId of organizationIds.length > 0 ? organizationIds : [null]) {
    recordAct(em, {
      action,
      actor: user,
      organizationId,
      target: signInId ? { type: 'sign-in', id: signInId } : { type: 'user', id: user.id },
      ...(details === undefined ? {} : { details }),
      ip,
      at,
    })
  }
}
