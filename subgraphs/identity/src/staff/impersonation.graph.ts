import { builder } from '../builder.ts'
import { ViewerType } from '../user/user.graph.ts'
import { StaffUserType } from './directory.graph.ts'
import { findAnyUser } from './directory.ts'
import type { Impersonation } from './impersonation.entity.ts'
import {
  endImpersonation,
  findImpersonations,
  startImpersonation,
  type Impersonating,
} from './impersonation.ts'

const ImpersonationType = builder.objectRef<Impersonation>('Impersonation').implement({
  description: 'A member of staff acting as a user, for a reason and a time.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the impersonation.' }),
    user: t.field({
      type: StaffUserType,
      nullable: true,
      description: 'As whom they act.',
      resolve: ({ userId }, _args, context) => findAnyUser(context, userId),
    }),
    reason: t.exposeString('reason', { description: 'Why, as the customer reads it.' }),
    ticket: t.exposeString('ticket', { nullable: true, description: 'Where it was asked for.' }),
    mayChange: t.exposeBoolean('mayChange', { description: 'Whether anything may be changed.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends by itself.' }),
  }),
})

const ImpersonatingType = builder.objectRef<Impersonating>('Impersonating').implement({
  description: 'An impersonation that was just started. There is no refresh: it ends in time.',
  fields: (t) => ({
    accessToken: t.exposeString('accessToken', {
      description: 'Send it as `Authorization: Bearer …` instead of your own.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends.' }),
    impersonation: t.expose('impersonation', {
      type: ImpersonationType,
      description: 'What was started.',
    }),
    user: t.expose('user', { type: StaffUserType, description: 'As whom you act.' }),
  }),
})

const ImpersonationInput = builder.inputType('ImpersonationInput', {
  description: 'As whom, why, and for how long.',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'The user. Never staff.' }),
    reason: t.string({ required: true, description: 'Why, as the customer reads it.' }),
    ticket: t.string({ description: 'Where it was asked for.' }),
    minutes: t.int({ description: 'At most 60, and at most what the server allows.' }),
    mayChange: t.boolean({
      description: 'To change tunnels and domains, not only to look. Nothing else can be changed.',
    }),
  }),
})

type ViewedImpersonation = { staffName: string; mayChange: boolean; id: string }

const ViewerImpersonationType = builder
  .objectRef<ViewedImpersonation>('ViewerImpersonation')
  .implement({
    description: 'Who asks is staff, acting as the user.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'The id of the impersonation, to end it.' }),
      staffName: t.exposeString('staffName', { description: 'The member of staff.' }),
      mayChange: t.exposeBoolean('mayChange', { description: 'Whether anything may be changed.' }),
    }),
  })

builder.objectField(ViewerType, 'impersonation', (t) =>
  t.field({
    type: ViewerImpersonationType,
    nullable: true,
    description: 'Set while staff acts as the user.',
    resolve: (_viewer, _args, { principal: { impersonatedBy, signInId } }) => {
      if (!impersonatedBy || signInId === null) return null
      const { name: staffName, mayChange } = impersonatedBy
      return { id: signInId, staffName, mayChange }
    },
  }),
)

builder.queryField('impersonations', (t) =>
  t.field({
    type: [ImpersonationType],
    description: 'Your impersonations that go on. For staff.',
    resolve: (_root, _args, context) => findImpersonations(context),
  }),
)

builder.mutationFields((t) => ({
  startImpersonation: t.field({
    type: ImpersonatingType,
    description:
      'Acts as a user, to look only unless it asks for more. You must have proved lately that it is you. The customer finds beginning and end in their audit. For staff.',
    args: { input: t.arg({ type: ImpersonationInput, required: true, description: 'What for.' }) },
    resolve: (_root, { input }, context) => startImpersonation(context, input),
  }),
  endImpersonation: t.id({
    description: 'Ends an impersonation of yours within seconds. Returns its id.',
    args: { id: t.arg.id({ required: true, description: 'The impersonation.' }) },
    resolve: (_root, { id }, context) => endImpersonation(context, id),
  }),
}))
