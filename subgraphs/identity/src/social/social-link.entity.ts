import { defineEntity, p } from '@mikro-orm/core'

import { User } from '../user/user.entity.ts'

export const socialProviders = ['google', 'github'] as const
export type SocialProviderName = (typeof socialProviders)[number]

const SocialLinkSchema = defineEntity({
  name: 'SocialLink',
  uniques: [{ name: 'social_link_subject', properties: ['issuer', 'subject'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    provider: p.enum(socialProviders),
    /** With `subject` what the account is known by: both never change, an email does. */
    issuer: p.string().length(255),
    subject: p.string().length(255),
    /** As the provider gave it when it was linked, to recognise the account by. Nothing is decided by it. */
    email: p.string().length(254),
    linkedAt: p.datetime(3),
    lastUsedAt: p.datetime(3).nullable(),
  },
})

/** An account elsewhere that opens an account here. */
export class SocialLink extends SocialLinkSchema.class {}
SocialLinkSchema.setClass(SocialLink)
