import type { EntityManager } from '@sluice/kit/database'
import { forkSystem } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { staffOf } from '../staff/staff.ts'
import { User } from '../user/user.entity.ts'
import { Mail, type MailKind } from './mail.entity.ts'

/** Adds a mail to the unit of work: it goes out if, and only if, the change it tells of happened. */
export function recordMail(
  em: EntityManager,
  mail: {
    kind: MailKind
    address: string
    userId: string | null
    invitationId?: string
    aboutOrganizationId?: string
    ip: string
    at: Date
  },
): void {
  const { kind, address, userId, ip, at } = mail
  const { invitationId = null, aboutOrganizationId = null } = mail
  em.persist(
    em.create(Mail, {
      kind,
      address,
      userId,
      invitationId,
      aboutOrganizationId,
      ip,
      createdAt: at,
      attempts: 0,
      nextAttemptAt: at,
      endedAt: null,
      outcome: null,
      lastError: null,
      subject: null,
      text: null,
    }),
  )
}

/** All mails, newest first. For staff. */
export async function mailPage(
  context: Context,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<Mail>> {
  staffOf(context)
  return pageOf(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    (rows, after) =>
      forkSystem(context.orm).find(Mail, afterKeyset('createdAt', after), {
        orderBy: { createdAt: 'desc', id: 'desc' },
        limit: rows,
      }),
  )
}

/** Sends a mail that was given up once more. For staff. */
export async function retryMail(context: Context, id: string): Promise<Mail> {
  const { orm, now, visitorIp } = context
  const actorId = staffOf(context)
  const mail = await forkSystem(orm).transactional(async (em) => {
    // The row decides: of two who ask at once, one makes it due.
    const due = isUuid(id)
      ? await em.nativeUpdate(
          Mail,
          { id, outcome: 'failed' },
          { endedAt: null, outcome: null, attempts: 0, nextAttemptAt: now() },
        )
      : 0
    if (due === 0) throw new SluiceError('SLUICE_MAIL_NOT_FOUND')
    recordAct(em, {
      action: 'mail.retried',
      actor: await em.findOneOrFail(User, { id: actorId }),
      organizationId: null,
      target: { type: 'mail', id },
      ip: visitorIp,
      at: now(),
    })
    await em.flush()
    return em.findOneOrFail(Mail, { id })
  })
  context.wakeMail()
  return mail
}
