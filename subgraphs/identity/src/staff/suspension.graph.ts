import { builder } from '../builder.ts'
import { StaffOrganizationType, StaffUserType } from './directory.graph.ts'
import {
  suspendOrganization,
  suspendUser,
  unsuspendOrganization,
  unsuspendUser,
} from './suspension.ts'

const reason = { required: true, description: 'Why, as the customer reads it.' } as const
const userId = { required: true, description: 'The user.' } as const
const organizationId = { required: true, description: 'The organization.' } as const

builder.mutationFields((t) => ({
  suspendUser: t.field({
    type: StaffUserType,
    description:
      'Keeps a user out, with everything that acts for them, within seconds. They are told the reason when they sign in. For staff.',
    args: { id: t.arg.id(userId), reason: t.arg.string(reason) },
    resolve: (_root, args, context) => suspendUser(context, args.id, args.reason),
  }),
  unsuspendUser: t.field({
    type: StaffUserType,
    description: 'Lets a user in again. For staff.',
    args: { id: t.arg.id(userId) },
    resolve: (_root, { id }, context) => unsuspendUser(context, id),
  }),
  suspendOrganization: t.field({
    type: StaffOrganizationType,
    description:
      'Closes an organization within seconds: its streams end, its credentials open nothing, its members see why. For staff.',
    args: { id: t.arg.id(organizationId), reason: t.arg.string(reason) },
    resolve: (_root, args, context) => suspendOrganization(context, args.id, args.reason),
  }),
  unsuspendOrganization: t.field({
    type: StaffOrganizationType,
    description: 'Opens an organization again. For staff.',
    args: { id: t.arg.id(organizationId) },
    resolve: (_root, { id }, context) => unsuspendOrganization(context, id),
  }),
}))
