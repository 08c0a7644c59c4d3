import {
  covers,
  namesOf,
  type Permission,
  permissionNames,
  type PermissionSet,
  permissionSet,
} from '@sluice/schema/permissions'

import type { Context } from '../context.ts'
import { apiKeyKind } from '../credential/credential-kinds.ts'
import {
  createCredential,
  type Created,
  type CredentialRules,
  type CredentialWanted,
} from '../credential/credentials.ts'
import { inputInvalid } from '../text.ts'
import type { ApiKey } from './api-key.entity.ts'

const requestsPerMinuteMax = 60_000

type Permitted = Pick<ApiKey, 'permissions' | 'requestsPerMinute'>

/** An API key stands for itself in the organization, with the permissions that it was given. */
export const apiKeyRules: CredentialRules<ApiKey, Permitted> = {
  kind: apiKeyKind,
  may: { read: 'api-keys.read', create: 'api-keys.manage', manage: 'api-keys.manage' },
  codes: { missing: 'SLUICE_API_KEY_NOT_FOUND', tooMany: 'SLUICE_API_KEYS_MAX' },
  fresh: {},
  isOwn: () => false,
  given: async (_em, { permissions }) => permissions,
  assertFits({ permissions }, acting) {
    if (!covers(acting, permissions)) throw inputInvalid('the service account may not do all of it')
  },
  carriedOver: ({ permissions, requestsPerMinute = null }, rotatedBy) => ({
    permissions,
    requestsPerMinute,
    createdBy: rotatedBy,
  }),
  label: ({ permissions }) => namesOf(permissions).join(', '),
}

export interface ApiKeyInput extends CredentialWanted {
  /** Names of permissions. */
  permissions: readonly string[]
  requestsPerMinute?: number | null | undefined
}

/** Makes an API key of the organization that may do at most what its maker may. */
export async function createApiKey(
  context: Context,
  { permissions: names, requestsPerMinute = null, ...wanted }: ApiKeyInput,
): Promise<Created<ApiKey>> {
  const permissions = parsePermissions(names)
  assertRate(requestsPerMinute)
  return createCredential(context, apiKeyRules, wanted, { permissions, requestsPerMinute })
}

function parsePermissions(names: readonly string[]): PermissionSet {
  const unknown = names.find((name) => !permissionNames.some((known) => known === name))
  if (unknown !== undefined) throw inputInvalid(`there is no permission ${unknown.slice(0, 64)}`)
  if (names.length === 0) throw inputInvalid('an API key needs a permission')
  return permissionSet(names as Permission[])
}

function assertRate(requestsPerMinute: number | null): void {
  if (requestsPerMinute === null) return
  if (requestsPerMinute < 1 || requestsPerMinute > requestsPerMinuteMax) {
    throw inputInvalid(`requestsPerMinute is not from 1 to ${requestsPerMinuteMax}`)
  }
}

/** Whether everything that a key may do its maker may do still: what a person who looks after keys wants to know. */
export function makerHolds(held: PermissionSet | null, { permissions }: ApiKey): boolean {
  return held !== null && covers(held, permissions)
}
