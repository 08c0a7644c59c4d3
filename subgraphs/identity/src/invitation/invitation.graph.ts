import { connectionType } from '@sluice/kit/graph'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType, RoleEnum } from '../organization/organization.graph.ts'
import { roleGivenBy } from '../role/role-given-by.ts'
import { CustomRoleType } from '../role/role.graph.ts'
import { UserType } from '../user/user.graph.ts'
import { acceptInvitation, findOffer, type Offer } from './accept-invitation.ts'
import type { Invitation } from './invitation.entity.ts'
import { invitationPage, inviteMember, resendInvitation, revokeInvitation } from './invitation.ts'

const InvitationType = builder.objectRef<Invitation>('Invitation').implement({
  description: 'An offer to join an organization that nobody has answered yet.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the invitation.' }),
    email: t.exposeString('email', { description: 'Whom it went to; nobody else can accept it.' }),
    role: t.expose('role', {
      type: RoleEnum,
      description: 'What they will be; VIEWER where a custom role decides.',
    }),
    customRole: t.field({
      type: CustomRoleType,
      nullable: true,
      description: 'Decides instead of `role`, where there is one.',
      resolve: ({ customRoleId }, _args, { customRoles }) =>
        customRoleId ? customRoles.load(customRoleId) : null,
    }),
    invitedBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Who sent it last, while they are a member.',
      resolve: ({ invitedBy }, _args, { users }) => users.load(invitedBy),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    sentAt: t.expose('sentAt', { type: 'DateTime', description: 'When it was sent last.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When its link stops working.',
    }),
    isExpired: t.boolean({
      description: 'Whether it has run out; it can be sent again.',
      resolve: ({ expiresAt }, _args, { now }) => expiresAt <= now(),
    }),
  }),
})

const InvitationConnection = connectionType(builder, 'Invitation', InvitationType)

builder.objectField(OrganizationType, 'invitations', (t) =>
  t.field({
    type: InvitationConnection,
    description: 'Invitations that nobody has answered, newest first. For who may invite.',
    args: { first: t.arg.int(pageArgs.first), after: t.arg.string(pageArgs.after) },
    resolve: ({ id }, args, context) => invitationPage(context, id, args),
  }),
)

const InvitationOfferType = builder.objectRef<Offer>('InvitationOffer').implement({
  description: 'What whoever holds the link of an invitation is offered.',
  fields: (t) => ({
    organizationName: t.exposeString('organizationName', {
      description: 'What the organization is called.',
    }),
    email: t.string({
      description: 'The address that it went to.',
      resolve: ({ invitation }) => invitation.email,
    }),
    roleName: t.exposeString('roleName', { description: 'What the role is called.' }),
    hasAccount: t.exposeBoolean('hasAccount', {
      description: 'Whether the address has an account: sign in, or sign up.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When the link stops working.',
      resolve: ({ invitation }) => invitation.expiresAt,
    }),
  }),
})

builder.queryField('invitation', (t) =>
  t.field({
    type: InvitationOfferType,
    description: 'The invitation of a link; an error says why it is not good.',
    args: { token: t.arg.string({ required: true, description: 'What the link ends with.' }) },
    resolve: (_root, { token }, context) => findOffer(context, token),
  }),
)

const InviteMemberInput = builder.inputType('InviteMemberInput', {
  description: 'Whom to invite, and as what.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    email: t.string({ required: true, description: 'The address; it needs no account yet.' }),
    role: t.field({ type: RoleEnum, description: 'At most what you may do yourself.' }),
    customRoleId: t.id({ description: 'Or a custom role of the organization.' }),
  }),
})

builder.mutationFields((t) => ({
  inviteMember: t.field({
    type: InvitationType,
    description: 'Mails an offer to join an organization.',
    args: {
      input: t.arg({ type: InviteMemberInput, required: true, description: 'The invitation.' }),
    },
    resolve: (_root, { input: { organizationId, email, role, customRoleId } }, context) =>
      inviteMember(context, organizationId, email, roleGivenBy({ role, customRoleId })),
  }),
  resendInvitation: t.field({
    type: InvitationType,
    description: 'Mails an invitation once more. The link sent before is void.',
    args: { id: t.arg.id({ required: true, description: 'The id of the invitation.' }) },
    resolve: (_root, { id }, context) => resendInvitation(context, id),
  }),
  revokeInvitation: t.id({
    description: 'Takes an invitation back.',
    args: { id: t.arg.id({ required: true, description: 'The id of the invitation.' }) },
    resolve: (_root, { id }, context) => revokeInvitation(context, id),
  }),
  acceptInvitation: t.field({
    type: OrganizationType,
    description: 'Joins the organization that a link offers, with the account of its address.',
    args: { token: t.arg.string({ required: true, description: 'What the link ends with.' }) },
    resolve: (_root, { token }, context) => acceptInvitation(context, token),
  }),
}))
