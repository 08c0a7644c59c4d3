import { createHash, randomBytes } from 'node:crypto'

import type { EntityManager } from '@sluice/kit/database'
import { addressOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { User } from '../user/user.entity.ts'
import { MailLink, type LinkPurpose } from './mail-link.entity.ts'
import type { Mail } from './mail.entity.ts'

const minuteMs = 60_000
export const linkLifeMs: Record<LinkPurpose, number> = {
  'verify-email': 24 * 60 * minuteMs,
  'change-email': 24 * 60 * minuteMs,
  'reset-password': 30 * minuteMs,
}

/** The pages of the console that the links lead to. */
const pageOf: Record<LinkPurpose, string> = {
  'verify-email': 'confirm-email',
  'change-email': 'confirm-email',
  'reset-password': 'reset-password',
}

const tokenBytes = 32
const tokenForm = /^[\w-]{43}$/

/** Makes the link of a mail; the one of an earlier attempt is void. The token is in the answer and nowhere else. */
export async function makeLink(
  em: EntityManager,
  options: { mail: Mail; purpose: LinkPurpose; userId: string; consoleOrigin: string; at: Date },
): Promise<string> {
  const { mail, purpose, userId, consoleOrigin, at } = options
  const token = randomBytes(tokenBytes).toString('base64url')
  await em.nativeDelete(MailLink, { mailId: mail.id })
  em.persist(
    em.create(MailLink, {
      mailId: mail.id,
      userId,
      purpose,
      email: mail.address,
      tokenHash: hashOf(token),
      createdAt: at,
      expiresAt: new Date(at.getTime() + linkLifeMs[purpose]),
      usedAt: null,
    }),
  )
  await em.flush()
  // Behind the #, so that neither a server nor its log ever sees it.
  return `${new URL(consoleOrigin).origin}/${pageOf[purpose]}#${token}`
}

/** Guessing is hopeless; this keeps it from costing us. */
export async function countLinkUse({ attempts, visitorIp }: Context): Promise<void> {
  await attempts.count(attemptLimits.mailLinkByIp, addressOf(visitorIp))
}

/** Uses up the link of a token. The row decides: of two who open it at once, one does. */
export async function consumeLink(
  em: EntityManager,
  token: string,
  purposes: readonly LinkPurpose[],
  at: Date,
): Promise<MailLink> {
  const possible = tokenForm.test(token)
  const used = possible
    ? await em.nativeUpdate(
        MailLink,
        {
          tokenHash: hashOf(token),
          purpose: { $in: [...purposes] },
          usedAt: null,
          expiresAt: { $gt: at },
        },
        { usedAt: at },
      )
    : 0
  if (used === 0) throw new SluiceError('SLUICE_LINK_INVALID')
  return em.findOneOrFail(MailLink, { tokenHash: hashOf(token) })
}

/** Whose a link that is still good is. Leaves it unused. */
export async function findLinkUser(
  em: EntityManager,
  token: string,
  purpose: LinkPurpose,
  at: Date,
): Promise<User> {
  const link = tokenForm.test(token)
    ? await em.findOne(MailLink, {
        tokenHash: hashOf(token),
        purpose,
        usedAt: null,
        expiresAt: { $gt: at },
      })
    : null
  if (!link) throw new SluiceError('SLUICE_LINK_INVALID')
  return em.findOneOrFail(User, { id: link.userId })
}

/** After a change of password or address, links that were asked for before it open nothing. */
export async function voidLinks(em: EntityManager, userId: string, at: Date): Promise<void> {
  await em.nativeUpdate(MailLink, { userId, usedAt: null }, { usedAt: at })
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
