import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { SignIn } from './sign-in.entity.ts'

/** Whether the sign-in that asks came from the single sign-on of an organization, and is for it alone. */
export async function isSsoSignIn({ orm, principal: { signInId } }: Context): Promise<boolean> {
  if (signInId === null) return false
  return (await forkSystem(orm).count(SignIn, { id: signInId, ssoOnly: true })) > 0
}

/**
 * Throws SLUICE_SSO_SIGN_IN_ONLY for a sign-in that an organization's identity provider has vouched for: it says who
 * somebody is there, and nothing about what else is theirs.
 */
export async function assertOwnSignIn(context: Context): Promise<void> {
  if (await isSsoSignIn(context)) throw new SluiceError('SLUICE_SSO_SIGN_IN_ONLY')
}
