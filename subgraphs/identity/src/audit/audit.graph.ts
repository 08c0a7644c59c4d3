import { connectionType } from '@sluice/kit/graph'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { UserType } from '../user/user.graph.ts'
import type { AuditEntry } from './audit-entry.entity.ts'
import { auditActions, auditPage } from './audit.ts'

const AuditEntryType = builder.objectRef<AuditEntry>('AuditEntry').implement({
  description: 'One thing that somebody did. Entries are only ever added.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the entry.' }),
    action: t.exposeString('action', { description: `One of: ${auditActions.join(', ')}.` }),
    actorKind: t.exposeString('actorKind', {
      description: '`user`, `authtoken`, or `system` for the platform itself.',
    }),
    actor: t.field({
      type: UserType,
      nullable: true,
      description: 'Who did it; null when they have left, or for the platform itself.',
      resolve: ({ actorId }, _args, { users }) => (actorId ? users.load(actorId) : null),
    }),
    actorName: t.exposeString('actorName', {
      nullable: true,
      description: 'What they were called then.',
    }),
    targetType: t.exposeString('targetType', { description: 'The kind of thing it was done to.' }),
    targetId: t.exposeString('targetId', { nullable: true, description: 'The id of that thing.' }),
    details: t.exposeString('details', {
      nullable: true,
      description: 'What changed, in words.',
    }),
    ip: t.exposeString('ip', { nullable: true, description: 'The address it came from.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
  }),
})

const AuditEntryConnection = connectionType(builder, 'AuditEntry', AuditEntryType)

builder.objectField(OrganizationType, 'auditEntries', (t) =>
  t.field({
    type: AuditEntryConnection,
    description: 'Who did what, newest first. For owners and admins.',
    args: {
      first: t.arg.int(pageArgs.first),
      after: t.arg.string(pageArgs.after),
      action: t.arg.string({ description: 'Only this action.' }),
    },
    resolve: ({ id }, args, context) => auditPage(context, id, args),
  }),
)
