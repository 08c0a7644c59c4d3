import { defineEntity, p } from '@mikro-orm/core'

import { User } from '../user/user.entity.ts'

/** What a ticket lets its holder go on with. Rows keep the name: add, never rename. */
const ticketPurposes = [
  'social-state',
  'second-factor',
  'passkey-registration',
  'passkey-sign-in',
  'passkey-proof',
  'sso-start',
  'sso-state',
  'sso-answer',
] as const
export type TicketPurpose = (typeof ticketPurposes)[number]

const TicketSchema = defineEntity({
  name: 'Ticket',
  properties: {
    /** SHA-256 of what was handed out. */
    secretHash: p.string().length(64).primary().hidden(),
    purpose: p.enum(ticketPurposes),
    /** Whom it was made for; null while it is not known who will come back. */
    userId: () =>
      p.manyToOne(User).mapToPk().joinColumn('user_id').nullable().deleteRule('cascade').index(),
    data: p.json<unknown>(),
    expiresAt: p.datetime(3).index(),
  },
})

/** The first half of something that ends with another request: it is good once, and for minutes. */
export class Ticket extends TicketSchema.class {}
TicketSchema.setClass(Ticket)
