import { forkSystem } from '@sluice/kit/database'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { assertProved } from '../account/assert-proved.ts'
import { assertWayIn } from '../account/ways-in.ts'
import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { recordMail } from '../mail/mail.ts'
import { personOf } from '../organization/organization.ts'
import { lockUser } from '../user/user.ts'
import { labelOf } from './finish-social.ts'
import { SocialLink } from './social-link.entity.ts'

/** The accounts elsewhere that open the account of whoever asks. */
export async function findSocialLinks(context: Context): Promise<SocialLink[]> {
  const userId = personOf(context)
  return forkSystem(context.orm).find(
    SocialLink,
    { userId },
    { orderBy: { linkedAt: 'asc', id: 'asc' } },
  )
}

/** Takes one of them away, unless nothing else would open it. */
export async function unlinkSocial(context: Context, id: string): Promise<string> {
  const { orm, visitorIp: ip, now } = context
  await assertProved(context)
  const userId = personOf(context)
  await forkSystem(orm).transactional(async (em) => {
    const user = await lockUser(em, userId)
    const link = isUuid(id) ? await em.findOne(SocialLink, { id, userId }) : null
    if (!link) throw new SluiceError('SLUICE_SOCIAL_NOT_LINKED')
    em.remove(link)
    recordMail(em, { kind: 'social-unlinked', address: user.email, userId, ip, at: now() })
    const details = labelOf(link.provider)
    await recordUserAct(em, { action: 'user.social-unlinked', user, details, ip, at: now() })
    await em.flush()
    await assertWayIn(em, user)
  })
  context.wakeMail()
  return id
}
