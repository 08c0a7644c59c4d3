import { builder } from '../builder.ts'

/** Described by identity. Here it is an id; what it may show is decided field by field. */
export const OrganizationType = builder.objectRef<{ id: string }>('Organization').implement({
  fields: (t) => ({ id: t.exposeID('id') }),
})

builder.asEntity(OrganizationType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
})
