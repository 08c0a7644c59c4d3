import { connectionType } from '@sluice/kit/graph'

import { builder, pageArgs } from '../builder.ts'
import { roleGivenBy } from '../role/role-given-by.ts'
import type { User } from '../user/user.entity.ts'
import { UserType } from '../user/user.graph.ts'
import type { Member } from './member.entity.ts'
import { changeMemberRole, memberPage, removeMember } from './member.ts'
import { OrganizationType, RoleEnum } from './organization.graph.ts'

export const MemberType = builder.objectRef<Member>('Member').implement({
  description: 'A person in an organization.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the membership, not of the person.' }),
    user: t.field({
      type: UserType,
      description: 'The person.',
      resolve: ({ userId }, _args, { users }) => users.load(userId) as Promise<User>,
    }),
    role: t.expose('role', {
      type: RoleEnum,
      description: 'What they may do; VIEWER where a custom role decides.',
    }),
    joinedAt: t.expose('joinedAt', { type: 'DateTime', description: 'When they came in.' }),
  }),
})

const MemberConnection = connectionType(builder, 'Member', MemberType)

builder.objectField(OrganizationType, 'members', (t) =>
  t.field({
    type: MemberConnection,
    description: 'Its members, newest first. For members.',
    args: { first: t.arg.int(pageArgs.first), after: t.arg.string(pageArgs.after) },
    resolve: ({ id }, args, context) => memberPage(context, id, args),
  }),
)

builder.mutationFields((t) => ({
  changeMemberRole: t.field({
    type: MemberType,
    description:
      'Gives a member another role. Nobody gives or takes what they do not have: only owners make or unmake owners.',
    args: {
      memberId: t.arg.id({ required: true, description: 'The id of the member.' }),
      role: t.arg({ type: RoleEnum, description: 'The new role.' }),
      customRoleId: t.arg.id({ description: 'Or a custom role of the organization.' }),
    },
    resolve: (_root, { memberId, role, customRoleId }, context) =>
      changeMemberRole(context, memberId, roleGivenBy({ role, customRoleId })),
  }),
  removeMember: t.field({
    type: 'ID',
    description:
      'Takes a member out of the organization and revokes their authtokens there. Anybody may leave.',
    args: { memberId: t.arg.id({ required: true, description: 'The id of the member.' }) },
    resolve: (_root, { memberId }, context) => removeMember(context, memberId),
  }),
}))
