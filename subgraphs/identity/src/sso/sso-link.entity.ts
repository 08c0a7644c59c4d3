import { defineEntity, p } from '@mikro-orm/core'

import { User } from '../user/user.entity.ts'
import { SsoConnection } from './sso-connection.entity.ts'

const SsoLinkSchema = defineEntity({
  name: 'SsoLink',
  uniques: [{ name: 'sso_link_once', properties: ['connectionId', 'issuer', 'subject'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    connectionId: () =>
      p.manyToOne(SsoConnection).mapToPk().joinColumn('connection_id').deleteRule('cascade'),
    issuer: p.string().length(2048),
    subject: p.string().length(500),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    createdAt: p.datetime(3),
    lastUsedAt: p.datetime(3),
  },
})

/** Whom an identity provider means: connection, issuer and subject together name one user. */
export class SsoLink extends SsoLinkSchema.class {}
SsoLinkSchema.setClass(SsoLink)
