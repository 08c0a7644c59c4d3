import { connectionType } from '@sluice/kit/graph'
import type { AuthtokenScope } from '@sluice/schema/permissions'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { UserType } from '../user/user.graph.ts'
import type { Authtoken } from './authtoken.entity.ts'
import {
  authtokenPage,
  createAuthtoken,
  listRevokedAuthtokens,
  revokeAuthtoken,
} from './authtoken.ts'

const AuthtokenScopeEnum = builder.enumType('AuthtokenScope', {
  description: 'What an authtoken may do.',
  values: {
    TUNNELS_START: { description: 'Create, start and stop tunnels.' },
    TUNNELS_READ: { description: 'List tunnels and follow their status.' },
    REQUESTS_READ: { description: 'Read and follow the request log.' },
  } satisfies Record<AuthtokenScope, object>,
})

const AuthtokenType = builder.objectRef<Authtoken>('Authtoken').implement({
  description: 'The long-lived credential of a developer’s agent. Its secret is shown once.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the authtoken.' }),
    name: t.exposeString('name', { description: 'What it is for.' }),
    prefix: t.exposeString('prefix', { description: 'Its first characters.' }),
    scopes: t.expose('scopes', { type: [AuthtokenScopeEnum], description: 'What it may do.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    createdBy: t.field({
      type: UserType,
      nullable: true,
      description: 'The member it acts for; null when they have left.',
      resolve: ({ createdBy }, _args, { users }) => (createdBy ? users.load(createdBy) : null),
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute.',
    }),
    lastUsedIp: t.exposeString('lastUsedIp', {
      nullable: true,
      description: 'From which address it was last used.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null while it is good.',
    }),
  }),
})

const CreatedAuthtokenType = builder
  .objectRef<{ authtoken: Authtoken; secret: string }>('CreatedAuthtoken')
  .implement({
    description: 'A new authtoken with its secret.',
    fields: (t) => ({
      authtoken: t.expose('authtoken', { type: AuthtokenType, description: 'The authtoken.' }),
      secret: t.exposeString('secret', {
        description: 'The authtoken itself. Store it now: it is not shown again.',
      }),
    }),
  })

const AuthtokenConnection = connectionType(builder, 'Authtoken', AuthtokenType)

builder.objectField(OrganizationType, 'authtokens', (t) =>
  t.field({
    type: AuthtokenConnection,
    description: 'Its authtokens, newest first, revoked ones too. For members.',
    args: { first: t.arg.int(pageArgs.first), after: t.arg.string(pageArgs.after) },
    resolve: ({ id }, args, context) => authtokenPage(context, id, args),
  }),
)

const RevokedAuthtokenType = builder
  .objectRef<{ id: string; at: Date }>('RevokedAuthtoken')
  .implement({
    description: 'An authtoken that is void.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'The id of the authtoken.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When it was revoked.' }),
    }),
  })

builder.queryField('revokedAuthtokens', (t) =>
  t.field({
    type: [RevokedAuthtokenType],
    nullable: true,
    description: 'Authtokens revoked since then, the latest first. For relay keys only.',
    args: {
      since: t.arg({ type: 'DateTime', required: true, description: 'What came before is known.' }),
    },
    resolve: (_root, { since }, context) => listRevokedAuthtokens(context, since),
  }),
)

builder.mutationFields((t) => ({
  createAuthtoken: t.field({
    type: CreatedAuthtokenType,
    description: 'Makes an authtoken that acts for you in an organization. For developers and up.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'The organization.' }),
      name: t.arg.string({ required: true, description: 'What it is for.' }),
      scopes: t.arg({
        type: [AuthtokenScopeEnum],
        description: 'What it may do; all if left out.',
      }),
    },
    resolve: (_root, { organizationId, name, scopes }, context) =>
      createAuthtoken(context, organizationId, name, scopes ?? undefined),
  }),
  revokeAuthtoken: t.field({
    type: AuthtokenType,
    description: 'Ends an authtoken and every session that uses it. Yours, or as owner or admin.',
    args: { id: t.arg.id({ required: true, description: 'The id of the authtoken.' }) },
    resolve: (_root, { id }, context) => revokeAuthtoken(context, id),
  }),
}))
