import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { personOf } from '../organization/organization.ts'
import { Passkey } from '../passkey/passkey.entity.ts'
import { SocialLink } from '../social/social-link.entity.ts'
import { User } from '../user/user.entity.ts'

export async function hasPassword(context: Context): Promise<boolean> {
  const id = personOf(context)
  const user = await forkSystem(context.orm).findOneOrFail(User, { id })
  return Boolean(user.passwordHash)
}

/** Throws SLUICE_LAST_WAY_IN, which undoes the transaction, when nothing would open the account any more. */
export async function assertWayIn(
  em: EntityManager,
  { id: userId, passwordHash }: User,
): Promise<void> {
  if (passwordHash) return
  if ((await em.count(Passkey, { userId })) > 0) return
  if ((await em.count(SocialLink, { userId })) > 0) return
  throw new SluiceError('SLUICE_LAST_WAY_IN')
}
