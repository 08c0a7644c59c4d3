import { roleIn } from '@sluice/kit/principal'
import type { Role } from '@sluice/schema/permissions'

import { builder } from '../builder.ts'
import { findMemberships, UserType, ViewerType } from '../user/user.graph.ts'
import type { Member } from './member.entity.ts'
import type { Organization } from './organization.entity.ts'
import { createOrganization } from './organization.ts'

export const RoleEnum = builder.enumType('Role', {
  description: 'What a member may do. `permissions` has the whole table.',
  values: {
    OWNER: { description: 'Everything, owners, payment and deletion included.' },
    ADMIN: { description: 'Members, authtokens of all, audit, domains.' },
    BILLING: { description: 'Plan, invoices and payment, and nothing else.' },
    DEVELOPER: { description: 'Tunnels and their own authtokens.' },
    VIEWER: { description: 'Look, but change nothing.' },
  } satisfies Record<Role, object>,
})

export const OrganizationType = builder.objectRef<Organization>('Organization').implement({
  description: 'The tenant: owns tunnels, domains, members, plan and usage.',
  fields: (t) => ({
    id: t.exposeID('id', { tag: 'public', description: 'The id of the organization.' }),
    name: t.exposeString('name', { tag: 'public', description: 'What it is called.' }),
    slug: t.exposeString('slug', {
      tag: 'public',
      description: 'Its name in addresses; nobody else has it.',
    }),
    createdAt: t.expose('createdAt', {
      tag: 'public',
      type: 'DateTime',
      description: 'When it was made.',
    }),
    viewerRole: t.field({
      type: RoleEnum,
      nullable: true,
      description: 'Your role in it; VIEWER where a custom role decides.',
      resolve: ({ id }, _args, { principal }) => roleIn(principal, id),
    }),
  }),
})

builder.asEntity(OrganizationType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, { organizations }) => organizations.load(id),
})

export const MembershipType = builder.objectRef<Member>('Membership').implement({
  description: 'Your place in an organization.',
  fields: (t) => ({
    organization: t.field({
      type: OrganizationType,
      description: 'The organization.',
      resolve: ({ organizationId }, _args, { organizations }) =>
        organizations.load(organizationId) as Promise<Organization>,
    }),
    role: t.expose('role', {
      type: RoleEnum,
      description: 'Your role in it; VIEWER where a custom role decides.',
    }),
    joinedAt: t.expose('joinedAt', { type: 'DateTime', description: 'When you came in.' }),
  }),
})

builder.objectField(UserType, 'memberships', (t) =>
  t.field({
    type: [MembershipType],
    description: 'Your organizations; empty for anybody but yourself.',
    resolve: (user, _args, context) => findMemberships(user, context),
  }),
)

builder.objectField(ViewerType, 'organization', (t) =>
  t.field({
    tag: 'public',
    type: OrganizationType,
    nullable: true,
    description: 'The organization that an authtoken or API key belongs to.',
    resolve: (_viewer, _args, { principal, organizations }) => {
      const [membership] = principal.memberships
      const isMachine = principal.kind === 'authtoken' || principal.kind === 'api-key'
      if (!isMachine || !membership) return null
      return organizations.load(membership.organizationId)
    },
  }),
)

builder.queryField('organization', (t) =>
  t.field({
    tag: 'public',
    type: OrganizationType,
    nullable: true,
    description: 'One of your organizations; null for any other.',
    args: { id: t.arg.id({ required: true, description: 'The id of the organization.' }) },
    resolve: (_root, { id }, { organizations }) => organizations.load(id),
  }),
)

builder.mutationField('createOrganization', (t) =>
  t.field({
    type: OrganizationType,
    description: 'Makes an organization that you own.',
    args: { name: t.arg.string({ required: true, description: 'What it is called.' }) },
    resolve: (_root, { name }, context) => createOrganization(context, name),
  }),
)
