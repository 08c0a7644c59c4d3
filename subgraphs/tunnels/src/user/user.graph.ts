import { builder } from '../builder.ts'

/** Described and resolved by identity. */
export const UserType = builder.objectRef<{ id: string }>('User').implement({
  fields: (t) => ({ id: t.exposeID('id') }),
})

builder.asEntity(UserType, {
  key: builder.keyDirective(builder.selection<{ id: string }>('id'), false),
  resolveReference: ({ id }) => ({ id }),
})
