import type { EntityManager } from '@sluice/kit/database'
import { assertMay, permissionsIn } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import type { PermissionSet } from '@sluice/schema/permissions'

import { ApiKey } from '../api-key/api-key.entity.ts'
import type { Act } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { lockAsActor, lockOrganization, personOf } from '../organization/organization.ts'

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
