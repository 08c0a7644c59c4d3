import { assertMay, type Principal } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import type { Permission } from '@sluice/schema/permissions'
import type { z } from 'zod'

import { inputInvalid } from './text.ts'

/** The organization that a REST request is about: the one it names, or the only one of the credential. Throws unless they may. */
export function organizationOf(
  principal: Principal,
  query: URLSearchParams,
  permission: Permission,
): string {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const [first, second] = principal.memberships
  const organizationId = query.get('organizationId') ?? (second ? null : first?.organizationId)
  if (!organizationId) throw inputInvalid('name the organization: ?organizationId=…')
  if (!isUuid(organizationId)) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  assertMay(principal, organizationId, permission)
  return organizationId
}

/** The body in its form. Throws SLUICE_INPUT_INVALID with the first place that is not. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw inputInvalid(`${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'not valid'}`)
}
