import { permissionsIn } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import {
  hasPermission,
  namesOf,
  type Permission,
  permissionNames,
  permissions,
  rolePermissions,
  roles,
} from '@sluice/schema/permissions'

import { builder } from '../builder.ts'
import { MemberType } from '../organization/member.graph.ts'
import { MembershipType, OrganizationType, RoleEnum } from '../organization/organization.graph.ts'
import type { CustomRole } from './custom-role.entity.ts'
import { roleGivenBy } from './role-given-by.ts'
import { createRole, customRolePermissions, deleteRole, findRoles, updateRole } from './role.ts'

export const CustomRoleType = builder.objectRef<CustomRole>('CustomRole').implement({
  description: 'A role that an organization has made for itself.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the role.' }),
    name: t.exposeString('name', { description: 'What it is called; once per organization.' }),
    description: t.exposeString('description', { description: 'What it is for; may be empty.' }),
    permissions: t.stringList({
      description: 'What those who have it may do, and nothing else.',
      resolve: (role) => namesOf(role.permissions),
    }),
    memberCount: t.int({
      description: 'How many members have it.',
      resolve: ({ id }, _args, { roleHolders }) => roleHolders.load(id),
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When it was changed last.',
    }),
  }),
})

const PermissionType = builder.objectRef<Permission>('Permission').implement({
  description: 'Something that one may be allowed to do in an organization.',
  fields: (t) => ({
    name: t.string({ description: 'What it is called.', resolve: (name) => name }),
    description: t.string({ description: 'What it allows.', resolve: (name) => permissions[name] }),
    roles: t.field({
      type: [RoleEnum],
      description: 'The built-in roles that have it.',
      resolve: (name) => roles.filter((role) => hasPermission(rolePermissions[role], name)),
    }),
    isForOwnersOnly: t.boolean({
      description: 'Whether no custom role can have it.',
      resolve: (name) => !customRolePermissions.includes(name),
    }),
  }),
})

builder.queryField('permissions', (t) =>
  t.field({
    type: [PermissionType],
    description: 'Everything that one may be allowed to do. For everybody who is signed in.',
    resolve: (_root, _args, { principal }) => {
      if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
      return permissionNames
    },
  }),
)

builder.objectFields(OrganizationType, (t) => ({
  roles: t.field({
    type: [CustomRoleType],
    description: 'Its custom roles by name. For those who see its members.',
    resolve: ({ id }, _args, context) => findRoles(context, id),
  }),
  viewerPermissions: t.stringList({
    description: 'What you may do in it.',
    resolve: ({ id }, _args, { principal }) => namesOf(permissionsIn(principal, id)),
  }),
}))

for (const type of [MemberType, MembershipType]) {
  builder.objectField(type, 'customRole', (t) =>
    t.field({
      type: CustomRoleType,
      nullable: true,
      description: 'Decides instead of `role` what they may do, where they have one.',
      resolve: ({ customRoleId }, _args, { customRoles }) =>
        customRoleId ? customRoles.load(customRoleId) : null,
    }),
  )
}

const CreateRoleInput = builder.inputType('CreateRoleInput', {
  description: 'A new custom role.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    name: t.string({ required: true, description: 'At most 60 characters.' }),
    description: t.string({ description: 'What it is for; at most 200 characters.' }),
    permissions: t.stringList({ required: true, description: 'Only what you may do yourself.' }),
  }),
})

const UpdateRoleInput = builder.inputType('UpdateRoleInput', {
  description: 'A custom role as it should be.',
  fields: (t) => ({
    roleId: t.id({ required: true, description: 'The id of the role.' }),
    name: t.string({ required: true, description: 'At most 60 characters.' }),
    description: t.string({ description: 'What it is for; at most 200 characters.' }),
    permissions: t.stringList({ required: true, description: 'Only what you may do yourself.' }),
  }),
})

const DeleteRoleInput = builder.inputType('DeleteRoleInput', {
  description: 'A custom role that is needed no longer.',
  fields: (t) => ({
    roleId: t.id({ required: true, description: 'The id of the role.' }),
    role: t.field({ type: RoleEnum, description: 'What its members become.' }),
    customRoleId: t.id({ description: 'Or the custom role that they get instead.' }),
  }),
})

builder.mutationFields((t) => ({
  createRole: t.field({
    type: CustomRoleType,
    description: 'Makes a custom role of permissions that you have.',
    args: { input: t.arg({ type: CreateRoleInput, required: true, description: 'The role.' }) },
    resolve: (
      _root,
      { input: { organizationId, name, description, permissions: names } },
      context,
    ) =>
      createRole(context, organizationId, {
        name,
        description: description ?? '',
        permissions: names,
      }),
  }),
  updateRole: t.field({
    type: CustomRoleType,
    description: 'Changes a custom role, for everybody who has it at once.',
    args: { input: t.arg({ type: UpdateRoleInput, required: true, description: 'The role.' }) },
    resolve: (_root, { input: { roleId, name, description, permissions: names } }, context) =>
      updateRole(context, roleId, { name, description: description ?? '', permissions: names }),
  }),
  deleteRole: t.field({
    type: 'ID',
    description: 'Deletes a custom role. One that members have needs a role for them.',
    args: { input: t.arg({ type: DeleteRoleInput, required: true, description: 'The role.' }) },
    resolve: (_root, { input: { roleId, role, customRoleId } }, context) =>
      deleteRole(
        context,
        roleId,
        role || customRoleId ? roleGivenBy({ role, customRoleId }) : null,
      ),
  }),
}))
