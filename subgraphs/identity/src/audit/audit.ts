import type { EntityManager } from '@sluice/kit/database'
import type { ActorKind } from '@sluice/schema/events'

import { AuditEntry } from './audit-entry.entity.ts'

/** Everything that is audited in identity; `actActions` of `schema/events.ts` is the rest. Names are shown, filtered by and exported: add, never rename. */
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
  'user.social-linked',
  'user.social-unlinked',
  'user.passkey-added',
  'user.passkey-renamed',
  'user.passkey-removed',
  'user.exported',
  'user.deleted',
  'sign-in.started',
  'sign-in.proved',
  'sign-in.ended',
  'sign-in.reused',
  'organization.created',
  'organization.renamed',
  'organization.transferred',
  'organization.deleted',
  'member.added',
  'member.role-changed',
  'member.removed',
  'invitation.sent',
  'invitation.resent',
  'invitation.revoked',
  'invitation.accepted',
  'role.created',
  'role.changed',
  'role.deleted',
  'authtoken.created',
  'authtoken.revoked',
  'authtoken.rotated',
  'authtoken.changed',
  'api-key.created',
  'api-key.revoked',
  'api-key.rotated',
  'api-key.changed',
  'service-account.created',
  'service-account.role-changed',
  'service-account.disabled',
  'service-account.enabled',
  'service-account.deleted',
  'signing-key.rotated',
  'internal-key.rotated',
  'mail.retried',
  'audit-stream.created',
  'audit-stream.switched-on',
  'audit-stream.switched-off',
  'audit-stream.deleted',
  'user.suspended',
  'user.unsuspended',
  'organization.suspended',
  'organization.unsuspended',
  'impersonation.started',
  'impersonation.ended',
  'network.unblocked',
  'sso.created',
  'sso.changed',
  'sso.roles-changed',
  'sso.tested',
  'sso.enforcement-changed',
  'sso.removed',
  'sso.key-added',
  'sso.key-removed',
  'sso.linked',
  'sso.sign-in-refused',
  'email-domain.added',
  'email-domain.verified',
  'email-domain.missing',
  'email-domain.found',
  'email-domain.lost',
  'email-domain.removed',
  'scim-token.created',
  'scim-token.rotated',
  'scim-token.revoked',
  'scim-user.created',
  'scim-user.changed',
  'scim-user.deleted',
  'scim-group.created',
  'scim-group.changed',
  'scim-group.mapped',
  'scim-group.deleted',
] as const
export type AuditAction = (typeof auditActions)[number]

export interface Act {
  action: AuditAction
  /** Null for the platform itself. */
  actor: {
    readonly id: string
    readonly name: string
    /** A user if left out. */
    readonly kind?: ActorKind
  } | null
  organizationId: string | null
  target: {
    type:
      | 'user'
      | 'organization'
      | 'member'
      | 'role'
      | 'invitation'
      | 'authtoken'
      | 'api-key'
      | 'service-account'
      | 'signing-key'
      | 'sign-in'
      | 'mail'
      | 'network'
      | 'audit-stream'
      | 'sso-connection'
      | 'email-domain'
      | 'scim-token'
      | 'scim-user'
      | 'scim-group'
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
      actorKind: act.actor ? (act.actor.kind ?? 'user') : 'system',
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
