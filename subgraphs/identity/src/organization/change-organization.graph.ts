import { builder } from '../builder.ts'
import { deleteOrganization, renameOrganization, transferOwnership } from './change-organization.ts'
import { OrganizationType } from './organization.graph.ts'

builder.mutationFields((t) => ({
  renameOrganization: t.field({
    type: OrganizationType,
    description: 'Calls an organization something else. Its slug stays.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'The organization.' }),
      name: t.arg.string({ required: true, description: 'What it is called from now on.' }),
    },
    resolve: (_root, { organizationId, name }, context) =>
      renameOrganization(context, organizationId, name),
  }),
  transferOwnership: t.field({
    type: OrganizationType,
    description:
      'Makes a member the owner in your place; you stay as admin. Needs a proof that it is really you.',
    args: { memberId: t.arg.id({ required: true, description: 'The id of the member.' }) },
    resolve: (_root, { memberId }, context) => transferOwnership(context, memberId),
  }),
  deleteOrganization: t.id({
    description:
      'Deletes an organization with its tunnels, domains and credentials, at once. For owners; needs a proof that it is really you.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'The organization.' }),
      slug: t.arg.string({ required: true, description: 'Its slug, to be sure.' }),
    },
    resolve: (_root, { organizationId, slug }, context) =>
      deleteOrganization(context, organizationId, slug),
  }),
}))
