import type { EntityManager } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'

import type { Context } from '../context.ts'
import { inputInvalid } from '../text.ts'
import type { User } from '../user/user.entity.ts'
import { AuditEntry } from './audit-entry.entity.ts'

/** Everything that is audited. Names are shown, filtered by and exported: add, never rename. */
export const auditActions = [
  'user.signed-up',
  'user.email-verification-asked',
  'user.email-verified',
  'user.email-change-asked',
  'user.email-changed',
  'user.password-changed',
  'user.password-reset',
  'user.second-factor-started',
  'user.second-factor-on',
  'user.second-factor-off',
  'user.recovery-code-used',
  'user.recovery-codes-renewed',
  'sign-in.started',
  'sign-in.proved',
  'sign-in.ended',
  'sign-in.reused',
  'organization.created',
  'member.added',
  'member.role-changed',
  'member.removed',
  'role.created',
  'role.changed',
  'role.deleted',
  'authtoken.created',
  'authtoken.revoked',
  'mail.retried',
] as const
export type AuditAction = (typeof auditActions)[number]

export interface Act {
  action: AuditAction
  /** Null for the platform itself. */
  actor: Pick<User, 'id' | 'name'> | null
  organizationId: string | null
  target: {
    type: 'user' | 'organization' | 'member' | 'role' | 'authtoken' | 'sign-in' | 'mail'
    id: string
  }
  details?: string
  ip: string
  at: Date
}

/** Adds an entry to the unit of work: it exists if, and only if, the change it tells of does. */
export function recordAct(em: EntityManager, act: Act): void {
  em.persist(
    em.create(AuditEntry, {
      organizationId: act.organizationId,
      action: act.action,
      actorKind: act.actor ? 'user' : 'system',
      actorId: act.actor?.id ?? null,
      actorName: act.actor?.name ?? 'Sluice',
      targetType: act.target.type,
      targetId: act.target.id,
      details: act.details ?? null,
      ip: act.ip || null,
      at: act.at,
    }),
  )
}

/** The audit of one organization, newest first. For owners and admins. */
export async function auditPage(
  { em, principal }: Context,
  organizationId: string,
  args: {
    first?: number | null | undefined
    after?: string | null | undefined
    action?: string | null | undefined
  },
): Promise<Page<AuditEntry>> {
  assertMay(principal, organizationId, 'audit.read')
  const { action } = args
  if (action && !auditActions.some((one) => one === action)) {
    throw inputInvalid(`there is no action ${action.slice(0, 64)}`)
  }
  return pageOf(args, keysetOf, (rows, after) =>
    em.find(
      AuditEntry,
      { organizationId, ...(action ? { action } : {}), ...afterKeyset('at', after) },
      { orderBy: { at: 'desc', id: 'desc' }, limit: rows },
    ),
  )
}

function keysetOf({ at, id }: AuditEntry) {
  return { at, id }
}
