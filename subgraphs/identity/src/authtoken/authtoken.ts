import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'
import {
  type AuthtokenScope,
  authtokenScopes,
  type PermissionSet,
  permissionsOfScopes,
} from '@sluice/schema/permissions'

import type { Context } from '../context.ts'
import { authtokenKind } from '../credential/credential-kinds.ts'
import {
  createCredential,
  type Created,
  type CredentialRules,
  type CredentialWanted,
  type Holder,
} from '../credential/credentials.ts'
import { Member } from '../organization/member.entity.ts'
import { lookUpRole } from '../role/held-permissions.ts'
import { ServiceAccount } from '../service-account/service-account.entity.ts'
import { inputInvalid } from '../text.ts'
import { Authtoken } from './authtoken.entity.ts'

type Scoped = Pick<Authtoken, 'scopes'>

/** An authtoken acts for its maker or for a service account, within its scopes. */
export const authtokenRules: CredentialRules<Authtoken, Scoped> = {
  kind: authtokenKind,
  may: { read: 'authtokens.read', create: 'authtokens.create', manage: 'authtokens.manage' },
  codes: { missing: 'SLUICE_AUTHTOKEN_NOT_FOUND', tooMany: 'SLUICE_AUTHTOKENS_MAX' },
  fresh: { expiryToldAt: null },
  isOwn: ({ createdBy, serviceAccountId }, userId) => createdBy === userId && !serviceAccountId,
  given: async (em, row) => (await heldBy(em, row)) & permissionsOfScopes(row.scopes),
  // What its account may not do, it does not do either.
  assertFits: () => undefined,
  carriedOver: ({ scopes, createdBy = null }) => ({ scopes, createdBy }),
  label: ({ scopes }) => scopes.join(', '),
}

/** Makes an authtoken that acts for whoever asks, or for a service account. */
export async function createAuthtoken(
  context: Context,
  organizationId: string,
  name: string,
  scopes: readonly AuthtokenScope[] = authtokenScopes,
  terms: Omit<CredentialWanted, 'organizationId' | 'name'> = {},
): Promise<Created<Authtoken>> {
  if (scopes.length === 0) throw inputInvalid('an authtoken needs a scope')
  const own = { scopes: authtokenScopes.filter((scope) => scopes.includes(scope)) }
  return createCredential(context, authtokenRules, { organizationId, name, ...terms }, own)
}

/** What whoever an authtoken acts for may do; nothing once they are gone. */
async function heldBy(
  em: EntityManager,
  { organizationId, serviceAccountId, createdBy }: Holder,
): Promise<PermissionSet> {
  const holder = serviceAccountId
    ? await em.findOne(ServiceAccount, { id: serviceAccountId, organizationId })
    : createdBy
      ? await em.findOne(Member, { userId: createdBy, organizationId })
      : null
  return holder ? (await lookUpRole(em, organizationId, holder)).permissions : 0
}

/** Relays look back no further than agent tokens can live. */
const lookBackMsMax = 2 * 86_400_000
const revokedMax = 10_000

/** Authtokens revoked since then, the latest first: what a relay has missed of the announcements. For relay keys only. */
export async function listRevokedAuthtokens(
  { principal, orm, now }: Context,
  since: Date,
): Promise<{ id: string; at: Date }[]> {
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  const oldest = new Date(Math.max(since.getTime(), now().getTime() - lookBackMsMax))
  // A relay serves every organization.
  const found = await forkSystem(orm).find(
    Authtoken,
    { revokedAt: { $gte: oldest } },
    { orderBy: { revokedAt: 'desc' }, limit: revokedMax },
  )
  return found.flatMap(({ id, revokedAt }) => (revokedAt ? [{ id, at: revokedAt }] : []))
}
