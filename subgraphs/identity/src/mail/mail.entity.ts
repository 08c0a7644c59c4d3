import { defineEntity, p } from '@mikro-orm/core'

/** What mails are about. Rows keep the name: add, never rename. */
const mailKinds = [
  'verify-email',
  'change-email',
  'email-change-asked',
  'email-changed',
  'reset-password',
  'password-changed',
  'second-factor-on',
  'second-factor-off',
  'recovery-code-used',
  'invitation',
  'social-linked',
  'social-unlinked',
  'passkey-added',
  'passkey-removed',
  'account-deleted',
  'authtoken-reported',
  'api-key-reported',
  'authtoken-expires',
  'security-anomaly',
  'user-suspended',
  'organization-suspended',
  'webhook-disabled',
  'email-domain-missing',
  'email-domain-lost',
] as const
export type MailKind = (typeof mailKinds)[number]

/** How a mail ended: sent, kept here to be looked at (without a mail server), not needed after all, or given up. */
const mailOutcomes = ['sent', 'kept', 'dropped', 'failed'] as const

const MailSchema = defineEntity({
  name: 'Mail',
  indexes: [
    { name: 'mail_due', properties: ['nextAttemptAt'], where: 'ended_at is null' },
    { name: 'mail_page', properties: ['createdAt', 'id'] },
  ],
  // No foreign key: a notice may outlive the account that it is about.
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    kind: p.enum(mailKinds),
    address: p.string().length(254),
    /** Whose account it is about; null when the address alone has to tell. */
    userId: p.uuid().nullable().index(),
    /** What a mail of kind `invitation` is about. */
    invitationId: p.uuid().nullable(),
    /** The organization that it is about, where the reader may be in several. */
    aboutOrganizationId: p.uuid().nullable(),
    /** The address that a request for this mail came from. */
    ip: p.string().length(64),
    createdAt: p.datetime(3),
    attempts: p.integer(),
    /** Also the lease of whoever sends it now: after a crash another attempt is made then. */
    nextAttemptAt: p.datetime(3),
    endedAt: p.datetime(3).nullable(),
    outcome: p.enum(mailOutcomes).nullable(),
    lastError: p.string().length(500).nullable(),
    /** Filled for kept mails only: a link in it opens an account. */
    subject: p.string().length(200).nullable(),
    text: p.text().nullable(),
  },
})

/**
 * A mail that has to go out. It says what it is about; its text, with links that are good once, is made when it is
 * sent, so that no row ever holds a link.
 */
export class Mail extends MailSchema.class {}
MailSchema.setClass(Mail)
