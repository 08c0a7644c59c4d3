import type { EntityManager } from '@sluice/kit/database'
import { assertMay, permissionsIn } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import type { PermissionSet } from '@sluice/schema/permissions'

import { ApiKey } from '../api-key/api-key.entity.ts'
import { recordAct, type Act, type AuditAction } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { lockAsActor, lockOrganization, personOf } from '../organization/organization.ts'
import type { SsoConnection } from './sso-connection.entity.ts'

export interface SsoActor {
  readonly actor: Act['actor']
  /** Nobody gives more than they hold. */
  readonly permissions: PermissionSet
}

/** Locks the organization for whoever may set up its single sign-on: a member, or an API key of the admin routes. */
export async function lockForSso(
  em: EntityManager,
  context: Context,
  organizationId: string,
): Promise<SsoActor> {
  const { principal } = context
  if (principal.kind !== 'api-key') {
    const { user, permissions } = await lockAsActor(
      em,
      organizationId,
      personOf(context),
      'sso.manage',
    )
    return { actor: user, permissions: permissions & permissionsIn(principal, organizationId) }
  }
  assertMay(principal, organizationId, 'sso.manage')
  await lockOrganization(em, organizationId)
  const apiKey = await em.findOne(ApiKey, { id: principal.id, revokedAt: null })
  if (!apiKey) throw new SluiceError('SLUICE_UNAUTHENTICATED')
  return {
    actor: { kind: 'api-key', id: apiKey.id, name: apiKey.name },
    permissions: permissionsIn(principal, organizationId),
  }
}

/** Changes what an organization's single sign-on is; nobody else does so meanwhile. */
export function changeSso<T>(
  context: Context,
  organizationId: string,
  change: (em: EntityManager, actor: SsoActor) => Promise<T>,
): Promise<T> {
  return context.em.transactional(async (em) =>
    change(em, await lockForSso(em, context, organizationId)),
  )
}

export function recordSso(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  { actor }: SsoActor,
  { id, organizationId }: Pick<SsoConnection, 'id' | 'organizationId'>,
  action: AuditAction,
  details: string,
): void {
  const target = { type: 'sso-connection', id } as const
  recordAct(em, {
    action,
    actor,
    organizationId,
    target,
    details: details.slice(0, 500).toWellFormed(),
    ip,
    at: now(),
  })
}
