import { builder } from '../builder.ts'
import { OrganizationType, RoleEnum } from '../organization/organization.graph.ts'
import { roleGivenBy } from '../role/role-given-by.ts'
import { CustomRoleType } from '../role/role.graph.ts'
import type { ServiceAccount } from './service-account.entity.ts'
import {
  changeServiceAccountRole,
  createServiceAccount,
  deleteServiceAccount,
  findServiceAccounts,
  setServiceAccountDisabled,
} from './service-account.ts'

export const ServiceAccountType = builder.objectRef<ServiceAccount>('ServiceAccount').implement({
  description: 'A program in an organization. Authtokens and API keys act for it; nobody signs in.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the service account.' }),
    name: t.exposeString('name', { description: 'What it is called; once per organization.' }),
    role: t.expose('role', {
      type: RoleEnum,
      description: 'What it may do; VIEWER where a custom role decides.',
    }),
    customRole: t.field({
      type: CustomRoleType,
      nullable: true,
      description: 'The custom role that decides what it may do, if it has one.',
      resolve: ({ customRoleId }, _args, { customRoles }) =>
        customRoleId ? customRoles.load(customRoleId) : null,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    disabledAt: t.expose('disabledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when its authtokens and API keys do nothing; null while they are good.',
    }),
  }),
})

builder.objectField(OrganizationType, 'serviceAccounts', (t) =>
  t.field({
    type: [ServiceAccountType],
    description: 'Its service accounts by name. For those who see its authtokens.',
    resolve: ({ id }, _args, context) => findServiceAccounts(context, id),
  }),
)

builder.mutationFields((t) => ({
  createServiceAccount: t.field({
    type: ServiceAccountType,
    description: 'Makes a service account. Nobody gives one more than they may do themselves.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'The organization.' }),
      name: t.arg.string({ required: true, description: 'What it is called.' }),
      role: t.arg({ type: RoleEnum, description: 'What it may do; not OWNER.' }),
      customRoleId: t.arg.id({ description: 'Or a custom role of the organization.' }),
    },
    resolve: (_root, { organizationId, name, role, customRoleId }, context) =>
      createServiceAccount(context, organizationId, name, roleGivenBy({ role, customRoleId })),
  }),
  changeServiceAccountRole: t.field({
    type: ServiceAccountType,
    description: 'Gives a service account another role. Its agents and streams start again.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of the service account.' }),
      role: t.arg({ type: RoleEnum, description: 'The new role; not OWNER.' }),
      customRoleId: t.arg.id({ description: 'Or a custom role of the organization.' }),
    },
    resolve: (_root, { id, role, customRoleId }, context) =>
      changeServiceAccountRole(context, id, roleGivenBy({ role, customRoleId })),
  }),
  setServiceAccountDisabled: t.field({
    type: ServiceAccountType,
    description: 'Stops everything that a service account owns, at once everywhere, or ends that.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of the service account.' }),
      disabled: t.arg.boolean({ required: true, description: 'Whether it does nothing.' }),
    },
    resolve: (_root, { id, disabled }, context) => setServiceAccountDisabled(context, id, disabled),
  }),
  deleteServiceAccount: t.id({
    description:
      'Deletes a service account and revokes its authtokens and API keys. Returns its id.',
    args: { id: t.arg.id({ required: true, description: 'The id of the service account.' }) },
    resolve: (_root, { id }, context) => deleteServiceAccount(context, id),
  }),
}))
