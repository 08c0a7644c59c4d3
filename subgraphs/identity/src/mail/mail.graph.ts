import { connectionType } from '@sluice/kit/graph'

import { builder, pageArgs } from '../builder.ts'
import type { Mail } from './mail.entity.ts'
import { mailPage, retryMail } from './mail.ts'

const MailStateEnum = builder.enumType('MailState', {
  description: 'How far a mail has come.',
  values: {
    WAITING: { description: 'It is sent soon, or tried again.' },
    SENT: { description: 'The mail server has taken it.' },
    KEPT: { description: 'This server has no mail server: it can be read here.' },
    DROPPED: { description: 'Nobody needed it any more, or the address has no account.' },
    FAILED: { description: 'It was given up.' },
  } as const,
})

const states = { sent: 'SENT', kept: 'KEPT', dropped: 'DROPPED', failed: 'FAILED' } as const

const MailType = builder.objectRef<Mail>('Mail').implement({
  description: 'A mail that this server sends. For staff.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the mail.' }),
    kind: t.exposeString('kind', { description: 'What it is about.' }),
    address: t.exposeString('address', { description: 'Whom it goes to.' }),
    state: t.field({
      type: MailStateEnum,
      description: 'How far it has come.',
      resolve: ({ outcome }) => (outcome ? states[outcome] : 'WAITING'),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried.' }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Why the last attempt failed.',
    }),
    subject: t.exposeString('subject', { nullable: true, description: 'Of a kept mail.' }),
    text: t.exposeString('text', { nullable: true, description: 'Of a kept mail.' }),
  }),
})

const MailConnection = connectionType(builder, 'Mail', MailType)

builder.queryField('mails', (t) =>
  t.field({
    type: MailConnection,
    description: 'The mails of this server, newest first. For staff.',
    args: { first: t.arg.int(pageArgs.first), after: t.arg.string(pageArgs.after) },
    resolve: (_root, args, context) => mailPage(context, args),
  }),
)

builder.mutationField('retryMail', (t) =>
  t.field({
    type: MailType,
    description: 'Sends a mail that was given up once more. For staff.',
    args: { id: t.arg.id({ required: true, description: 'The mail.' }) },
    resolve: (_root, { id }, context) => retryMail(context, id),
  }),
)
