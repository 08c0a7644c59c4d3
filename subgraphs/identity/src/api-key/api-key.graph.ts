import { namesOf } from '@sluice/schema/permissions'

import { builder } from '../builder.ts'
import { credentialInGraph } from '../credential/credential.graph.ts'
import type { ApiKey } from './api-key.entity.ts'
import { apiKeyRules, createApiKey, makerHolds } from './api-key.ts'

const ApiKeyType = builder.objectRef<ApiKey>('ApiKey').implement({
  description: 'A credential for the public graph and the REST paths. Its secret is shown once.',
  fields: (t) => ({
    permissions: t.stringList({
      description: 'What it may do: names of permissions.',
      resolve: ({ permissions }) => namesOf(permissions),
    }),
    requestsPerMinute: t.exposeInt('requestsPerMinute', {
      nullable: true,
      description: 'What it may ask of the public graph; null for as much as any key.',
    }),
    makerHolds: t.boolean({
      description: 'Whether its maker may still do all that it may. Look at it when they may not.',
      resolve: async (key, _args, { memberPermissions }) => {
        const { createdBy, organizationId } = key
        const held = createdBy
          ? await memberPermissions.load(`${organizationId}:${createdBy}`)
          : null
        return makerHolds(held, key)
      },
    }),
  }),
})

const CreatedApiKeyType = credentialInGraph(ApiKeyType, apiKeyRules, {
  type: 'ApiKey',
  field: 'apiKey',
  one: 'an API key',
  createdBy: 'Who made it; null when they have left. The key goes on without them.',
  serviceAccount: 'Whom it acts for: it may do no more than they may.',
  list: 'Its API keys, newest first, revoked ones too. For those who may see them.',
  revoke: 'Ends an API key at once, everywhere.',
})

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A new API key.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    name: t.string({ required: true, description: 'What it is for.' }),
    permissions: t.stringList({
      required: true,
      description: 'What it may do: names of permissions that you hold.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'From when it is void; never if left out.',
    }),
    allowedIps: t.stringList({
      description: 'Addresses and CIDR blocks that it may be used from; anywhere if left out.',
    }),
    requestsPerMinute: t.int({
      description: 'What it may ask of the public graph; as much as any key if left out.',
    }),
    serviceAccountId: t.id({
      description: 'Whom it acts for; it stands for itself if left out.',
    }),
  }),
})

builder.mutationField('createApiKey', (t) =>
  t.field({
    type: CreatedApiKeyType,
    description: 'Makes an API key of the organization. It may do no more than you.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input }, context) => createApiKey(context, input),
  }),
)
