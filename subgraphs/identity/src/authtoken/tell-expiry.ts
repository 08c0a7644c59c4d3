import type { EntityManager } from '@sluice/kit/database'

import { recordMail } from '../mail/mail.ts'
import { User } from '../user/user.entity.ts'

const toldAtOnceMax = 500
const ahead = `interval '7 days'`

/**
 * Tells makers by mail of authtokens that end within a week, once each; not of those that were made for less than that, nor of
 * those that have a successor. Part of the caller's transaction; replicas that look at once tell of different ones.
 */
export async function tellExpiry(em: EntityManager, now: Date): Promise<number> {
  const rows = await em.execute<{ created_by: string | null }[]>(
    `update "identity"."authtoken" set expiry_told_at = ? where id in (
       select a.id from "identity"."authtoken" a
       where a.revoked_at is null and a.successor_id is null and a.expiry_told_at is null
         and a.expires_at > ?::timestamptz and a.expires_at <= ?::timestamptz + ${ahead}
         and a.expires_at > a.created_at + ${ahead}
       limit ${toldAtOnceMax} for update skip locked)
     returning created_by`,
    [now, now, now],
  )
  const ids = rows.flatMap(({ created_by: id }) => id ?? [])
  const makers = ids.length > 0 ? await em.find(User, { id: { $in: ids } }) : []
  for (const { id: userId, email: address } of makers) {
    recordMail(em, { kind: 'authtoken-expires', address, userId, ip: '', at: now })
  }
  await em.flush()
  return makers.length
}
