import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import type { Role } from '@sluice/schema/permissions'

import { inputInvalid } from '../text.ts'
import type { RoleGiven } from './held-permissions.ts'

/** The role that two arguments name: a built-in one or a custom one, not both and not neither. */
export function roleGivenBy(args: {
  role?: Role | null | undefined
  customRoleId?: string | null | undefined
}): RoleGiven {
  const { role, customRoleId } = args
  if (customRoleId) {
    if (role) throw inputInvalid('name a role or a custom role, not both')
    if (!isUuid(customRoleId)) throw new SluiceError('SLUICE_ROLE_NOT_FOUND')
    return { role: 'VIEWER', customRoleId }
  }
  if (!role) throw inputInvalid('name a role')
  return { role, customRoleId: null }
}
