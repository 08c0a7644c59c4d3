import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { personOf } from '../organization/organization.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'

/** For so long after a proof that it is really them, somebody may change what guards their account. */
export const proofLifeMs = 10 * 60_000

/** Throws SLUICE_REAUTHENTICATION_NEEDED unless whoever asks has proved lately who they are. */
export async function assertProved(context: Context): Promise<void> {
  const { orm, now } = context
  const signInId = signInOf(context)
  const signIn = await forkSystem(orm).findOne(SignIn, { id: signInId, endedAt: null })
  if (!signIn) throw new SluiceError('SLUICE_UNAUTHENTICATED')
  if (now().getTime() - signIn.provedAt.getTime() > proofLifeMs) {
    throw new SluiceError('SLUICE_REAUTHENTICATION_NEEDED')
  }
}

/** The sign-in of the person who asks. */
export function signInOf(context: Context): string {
  personOf(context)
  const { signInId } = context.principal
  if (signInId === null) throw new SluiceError('SLUICE_FORBIDDEN')
  return signInId
}
