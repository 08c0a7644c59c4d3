import { forkSystem, type EntityManager, type Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'

import { offerToMail } from '../invitation/mail-invitation.ts'
import { Organization } from '../organization/organization.entity.ts'
import { User } from '../user/user.entity.ts'
import { composeMail, type MailText } from './compose-mail.ts'
import { linkPurposes, MailLink } from './mail-link.entity.ts'
import { makeLink } from './mail-link.ts'
import { attemptTimeoutMs, MailRefused, messageOf, type MailTransport } from './mail-transport.ts'
import { Mail } from './mail.entity.ts'

export interface MailDeps {
  readonly orm: Orm
  /** Null where there is no mail server: mails are kept, for staff to look at. */
  readonly transport: MailTransport | null
  readonly consoleOrigin: string
  readonly now: () => Date
  readonly log: Log
}

/** An address is given up after this many attempts, about a day after the first. */
export const attemptsMax = 8
const backoffFirstMs = 60_000
const backoffMaxMs = 6 * 60 * 60_000
/** Longer than an attempt may take: nobody else tries meanwhile, and somebody does after a crash. */
const leaseMs = attemptTimeoutMs * 2
const atOnceMax = 10
/** Without a mail server only the newest are kept. */
export const keptMax = 200
const endedDays = 30

/** Sends what is due. Returns how many were tried; several replicas may do it at once. */
export async function sendDueMails(deps: MailDeps): Promise<number> {
  const due = await claimDue(deps)
  await Promise.all(due.map((mail) => attempt(deps, mail)))
  return due.length
}

/** Counted before it is tried: a mail that crashes its sender is given up in the end, too. */
async function claimDue({ orm, now }: MailDeps): Promise<Mail[]> {
  const at = now()
  const em = forkSystem(orm)
  const rows = await em.execute<{ id: string }[]>(
    `update "identity"."mail" set attempts = attempts + 1, next_attempt_at = ?
     where id in (select id from "identity"."mail" where ended_at is null and next_attempt_at <= ?
       order by next_attempt_at limit ${atOnceMax} for update skip locked)
     returning id`,
    [new Date(at.getTime() + leaseMs), at],
  )
  return rows.length === 0 ? [] : em.find(Mail, { id: { $in: rows.map(({ id }) => id) } })
}

async function attempt(deps: MailDeps, mail: Mail): Promise<void> {
  const { orm, transport, now, log } = deps
  try {
    const text = await forkSystem(orm).transactional((em) => textOf(deps, em, mail))
    if (!text) return await end(deps, mail, { outcome: 'dropped' })
    if (!transport) return await keep(deps, mail, text)
    await transport.send({ id: mail.id, to: mail.address, ...text })
    await end(deps, mail, { outcome: 'sent', lastError: null })
  } catch (error) {
    const lastError = messageOf(error).slice(0, 500)
    const isLast = error instanceof MailRefused || mail.attempts >= attemptsMax
    log.warn(
      { mailId: mail.id, kind: mail.kind, attempts: mail.attempts, err: error },
      'a mail failed',
    )
    if (isLast) return end(deps, mail, { outcome: 'failed', lastError })
    const nextAttemptAt = new Date(now().getTime() + backoffMsOf(mail.attempts))
    await forkSystem(orm).nativeUpdate(Mail, { id: mail.id }, { lastError, nextAttemptAt })
  }
}

/** The text of a mail, or null when nobody needs it any more: the address has no account, or has changed. */
async function textOf(
  { consoleOrigin, now }: MailDeps,
  em: EntityManager,
  mail: Mail,
): Promise<MailText | null> {
  const { kind, address, userId, invitationId, ip, createdAt } = mail
  const facts = { consoleOrigin, address, ip, at: createdAt }
  if (invitationId) {
    const offer = await offerToMail(em, { invitationId, consoleOrigin, at: now() })
    return offer && composeMail(kind, { ...facts, ...offer })
  }
  const purpose = linkPurposes.find((one) => one === kind)
  if (!purpose) {
    const id = mail.aboutOrganizationId
    const slug = id ? (await em.findOne(Organization, { id }))?.slug : undefined
    return composeMail(kind, { ...facts, slug, link: null })
  }

  const user = await em.findOne(User, userId ? { id: userId } : { email: address })
  if (!user) return null
  if (purpose === 'verify-email' && (user.email !== address || user.emailVerifiedAt)) return null
  const link = await makeLink(em, { mail, purpose, userId: user.id, consoleOrigin, at: now() })
  return composeMail(kind, { ...facts, link })
}

async function keep(deps: MailDeps, mail: Mail, text: MailText): Promise<void> {
  await end(deps, mail, { outcome: 'kept', ...text })
  await forkSystem(deps.orm).execute(
    `delete from "identity"."mail" where outcome = 'kept' and id not in (
       select id from "identity"."mail" where outcome = 'kept' order by created_at desc, id desc limit ${keptMax})`,
  )
}

async function end(
  { orm, now }: MailDeps,
  { id }: Mail,
  how: Partial<Pick<Mail, 'outcome' | 'lastError' | 'subject' | 'text'>>,
): Promise<void> {
  await forkSystem(orm).nativeUpdate(Mail, { id }, { endedAt: now(), ...how })
}

/** Up to half of it is chance, so that what failed together is not tried together. */
function backoffMsOf(attempts: number): number {
  const ms = Math.min(backoffFirstMs * 4 ** (attempts - 1), backoffMaxMs)
  return ms * (1 - Math.random() / 2)
}

/** Deletes what ended long ago, and links that are good no more. */
export async function purgeMails(em: EntityManager, now: Date): Promise<void> {
  const before = new Date(now.getTime() - endedDays * 24 * 60 * 60_000)
  await em.nativeDelete(Mail, { endedAt: { $lt: before } })
  await em.nativeDelete(MailLink, { expiresAt: { $lt: before } })
}

const idlePollMs = 1_000

/** Sends mails as they become due until it is closed. The rows are the truth: a replica that dies loses none. */
export function openMailSender(deps: MailDeps): { wake(): void; close(): Promise<void> } {
  let closed = false
  let wanted = false
  let stopWaiting: () => void = () => undefined

  const wake = () => {
    wanted = true
    stopWaiting()
  }

  async function run(): Promise<void> {
    while (!closed) {
      wanted = false
      let tried = 0
      try {
        tried = await sendDueMails(deps)
      } catch (error) {
        // PostgreSQL is away: the rows wait.
        deps.log.warn({ err: error }, 'mails cannot be read')
      }
      if (closed || wanted || tried === atOnceMax) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, idlePollMs)
        stopWaiting = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  const running = run()
  return {
    wake,
    async close() {
      closed = true
      stopWaiting()
      await running
      deps.transport?.close()
    },
  }
}
