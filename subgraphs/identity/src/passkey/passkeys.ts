import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { assertProved } from '../account/assert-proved.ts'
import { assertWayIn } from '../account/ways-in.ts'
import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { recordMail } from '../mail/mail.ts'
import { personOf } from '../organization/organization.ts'
import { nameOf } from '../text.ts'
import { lockUser } from '../user/user.ts'
import { nameCharactersMax } from './add-passkey.ts'
import { Passkey } from './passkey.entity.ts'

/** The passkeys of whoever asks. */
export async function findPasskeys(context: Context): Promise<Passkey[]> {
  const userId = personOf(context)
  const orderBy = { createdAt: 'asc', id: 'asc' } as const
  return forkSystem(context.orm).find(Passkey, { userId }, { orderBy })
}

export async function renamePasskey(
  context: Context,
  id: string,
  nameText: string,
): Promise<Passkey> {
  const { orm, visitorIp: ip, now } = context
  const userId = personOf(context)
  const name = nameOf(nameText, 'the name of the passkey', nameCharactersMax)
  return forkSystem(orm).transactional(async (em) => {
    const user = await lockUser(em, userId)
    const passkey = await findOwn(em, userId, id)
    const details = `${passkey.name} to ${name}`
    passkey.name = name
    await recordUserAct(em, { action: 'user.passkey-renamed', user, details, ip, at: now() })
    await em.flush()
    return passkey
  })
}

/** Takes a passkey away, unless nothing else would open the account. */
export async function removePasskey(context: Context, id: string): Promise<string> {
  const { orm, visitorIp: ip, now } = context
  await assertProved(context)
  const userId = personOf(context)
  await forkSystem(orm).transactional(async (em) => {
    const user = await lockUser(em, userId)
    const passkey = await findOwn(em, userId, id)
    em.remove(passkey)
    recordMail(em, { kind: 'passkey-removed', address: user.email, userId, ip, at: now() })
    const details = passkey.name
    await recordUserAct(em, { action: 'user.passkey-removed', user, details, ip, at: now() })
    await em.flush()
    await assertWayIn(em, user)
  })
  context.wakeMail()
  return id
}

/** Somebody else's counts as missing. */
async function findOwn(em: EntityManager, userId: string, id: string): Promise<Passkey> {
  const passkey = isUuid(id) ? await em.findOne(Passkey, { id, userId }) : null
  if (!passkey) throw new SluiceError('SLUICE_PASSKEY_NOT_FOUND')
  return passkey
}
