import { defineEntity, p } from '@mikro-orm/core'

import { User } from '../user/user.entity.ts'

export const linkPurposes = ['verify-email', 'change-email', 'reset-password'] as const
export type LinkPurpose = (typeof linkPurposes)[number]

const MailLinkSchema = defineEntity({
  name: 'MailLink',
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    /** The mail it went out with: another attempt replaces it. */
    mailId: p.uuid().unique(),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    purpose: p.enum(linkPurposes),
    /** The address that whoever opens the link has shown to be theirs. */
    email: p.string().length(254),
    /** SHA-256 of the token in the link. */
    tokenHash: p.string().length(64).unique().hidden(),
    createdAt: p.datetime(3),
    expiresAt: p.datetime(3).index(),
    usedAt: p.datetime(3).nullable(),
  },
})

/** A link that was mailed: it is good once, and only for what it was made for. */
export class MailLink extends MailLinkSchema.class {}
MailLinkSchema.setClass(MailLink)
