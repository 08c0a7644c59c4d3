import type { AuthtokenScope } from '@sluice/schema/permissions'

import { builder } from '../builder.ts'
import { credentialInGraph } from '../credential/credential.graph.ts'
import type { Authtoken } from './authtoken.entity.ts'
import { authtokenRules, createAuthtoken, listRevokedAuthtokens } from './authtoken.ts'

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
    scopes: t.expose('scopes', { type: [AuthtokenScopeEnum], description: 'What it may do.' }),
  }),
})

const CreatedAuthtokenType = credentialInGraph(AuthtokenType, authtokenRules, {
  type: 'Authtoken',
  field: 'authtoken',
  one: 'an authtoken',
  createdBy: 'Who made it; without a service account it acts for them. Null when they have left.',
  serviceAccount: 'Whom it acts for in place of its maker.',
  list: 'Its authtokens, newest first, revoked ones too. For members.',
  revoke: 'Ends an authtoken and every session that uses it. Yours, or as owner or admin.',
})

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

builder.mutationField('createAuthtoken', (t) =>
  t.field({
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
)
