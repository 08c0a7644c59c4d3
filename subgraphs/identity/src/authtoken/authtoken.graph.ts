import { connectionType } from '@sluice/kit/graph'
import type { AuthtokenScope } from '@sluice/schema/permissions'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { ServiceAccountType } from '../service-account/service-account.graph.ts'
import { UserType } from '../user/user.graph.ts'
import type { Authtoken } from './authtoken.entity.ts'
import {
  authtokenPage,
  createAuthtoken,
  listRevokedAuthtokens,
  revokeAuthtoken,
  rotateAuthtoken,
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
      description:
        'Who made it; without a service account it acts for them. Null when they have left.',
      resolve: ({ createdBy }, _args, { users }) => (createdBy ? users.load(createdBy) : null),
    }),
    serviceAccount: t.field({
      type: ServiceAccountType,
      nullable: true,
      description: 'Whom it acts for in place of its maker.',
      resolve: ({ serviceAccountId }, _args, { serviceAccounts }) =>
        serviceAccountId ? serviceAccounts.load(serviceAccountId) : null,
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'From when it is void; null when it never is by itself.',
    }),
    allowedIps: t.exposeStringList('allowedIps', {
      description: 'Addresses and CIDR blocks that it may be used from; none means anywhere.',
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
    successorId: t.exposeID('successorId', {
      nullable: true,
      description: 'The authtoken that a rotation has put in its place.',
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
    description:
      'Makes an authtoken that acts for you, or for a service account. For developers and up.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'The organization.' }),
      name: t.arg.string({ required: true, description: 'What it is for.' }),
      scopes: t.arg({
        type: [AuthtokenScopeEnum],
        description: 'What it may do; all if left out.',
      }),
      expiresAt: t.arg({
        type: 'DateTime',
        description: 'From when it is void; never if left out.',
      }),
      allowedIps: t.arg.stringList({
        description: 'Addresses and CIDR blocks that it may be used from; anywhere if left out.',
      }),
      serviceAccountId: t.arg.id({ description: 'Whom it acts for; you if left out.' }),
    },
    resolve: (_root, { organizationId, name, scopes, ...terms }, context) =>
      createAuthtoken(context, organizationId, name, scopes ?? undefined, terms),
  }),
  rotateAuthtoken: t.field({
    type: CreatedAuthtokenType,
    description: 'Puts a new authtoken in the place of one, which stays good for a while.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of the one that is to end.' }),
      overlapSeconds: t.arg.int({
        required: true,
        description: 'How long both are good: 0, or from two minutes to thirty days.',
      }),
    },
    resolve: (_root, { id, overlapSeconds }, context) =>
      rotateAuthtoken(context, id, overlapSeconds),
  }),
  revokeAuthtoken: t.field({
    type: AuthtokenType,
    description: 'Ends an authtoken and every session that uses it. Yours, or as owner or admin.',
    args: { id: t.arg.id({ required: true, description: 'The id of the authtoken.' }) },
    resolve: (_root, { id }, context) => revokeAuthtoken(context, id),
  }),
}))
