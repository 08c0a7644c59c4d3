import { builder } from '../builder.ts'
import { setVisitNotice } from './visit-notice.ts'

/** Described by identity. Here it is an id; what it may show is decided field by field. */
export const OrganizationType = builder.objectRef<{ id: string }>('Organization').implement({
  fields: (t) => ({ id: t.exposeID('id') }),
})

builder.mutationField('setVisitNotice', (t) =>
  t.field({
    type: 'ID',
    description:
      'Has browsers asked before they visit the tunnels of an organization that is not verified, or no longer. For staff of the platform only. Returns the id.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'Whose tunnels.' }),
      isOn: t.arg.boolean({ required: true, description: 'Whether browsers are asked.' }),
    },
    resolve: (_root, { organizationId, isOn }, context) =>
      setVisitNotice(context, organizationId, isOn),
  }),
)

builder.asEntity(OrganizationType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
})
