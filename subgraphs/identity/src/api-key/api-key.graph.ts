import { connectionType } from '@sluice/kit/graph'
import { namesOf } from '@sluice/schema/permissions'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { ServiceAccountType } from '../service-account/service-account.graph.ts'
import { UserType } from '../user/user.graph.ts'
import type { ApiKey } from './api-key.entity.ts'
import {
  apiKeyPage,
  createApiKey,
  makerHolds,
  revokeApiKey,
  rotateApiKey,
  type CreatedApiKey,
} from './api-key.ts'

const ApiKeyType = builder.objectRef<ApiKey>('ApiKey').implement({
  description: 'A credential for the public graph and the REST paths. Its secret is shown once.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the API key.' }),
    name: t.exposeString('name', { description: 'What it is for.' }),
    prefix: t.exposeString('prefix', { description: 'Its first characters.' }),
    permissions: t.stringList({
      description: 'What it may do: names of permissions.',
      resolve: ({ permissions }) => namesOf(permissions),
    }),
    requestsPerMinute: t.exposeInt('requestsPerMinute', {
      nullable: true,
      description: 'What it may ask of the public graph; null for as much as any key.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    createdBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Who made it; null when they have left. The key goes on without them.',
      resolve: ({ createdBy }, _args, { users }) => (createdBy ? users.load(createdBy) : null),
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
    serviceAccount: t.field({
      type: ServiceAccountType,
      nullable: true,
      description: 'Whom it acts for: it may do no more than they may.',
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
      description: 'The API key that a rotation has put in its place.',
    }),
  }),
})

const CreatedApiKeyType = builder.objectRef<CreatedApiKey>('CreatedApiKey').implement({
  description: 'A new API key with its secret.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', { type: ApiKeyType, description: 'The API key.' }),
    secret: t.exposeString('secret', {
      description: 'The API key itself. Store it now: it is not shown again.',
    }),
  }),
})

const ApiKeyConnection = connectionType(builder, 'ApiKey', ApiKeyType)

builder.objectField(OrganizationType, 'apiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    description: 'Its API keys, newest first, revoked ones too. For those who may see them.',
    args: { first: t.arg.int(pageArgs.first), after: t.arg.string(pageArgs.after) },
    resolve: ({ id }, args, context) => apiKeyPage(context, id, args),
  }),
)

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

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreatedApiKeyType,
    description: 'Makes an API key of the organization. It may do no more than you.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input }, context) => createApiKey(context, input),
  }),
  rotateApiKey: t.field({
    type: CreatedApiKeyType,
    description: 'Puts a new API key in the place of one, which stays good for a while.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of the one that is to end.' }),
      overlapSeconds: t.arg.int({
        required: true,
        description: 'How long both are good: 0, or from two minutes to thirty days.',
      }),
    },
    resolve: (_root, { id, overlapSeconds }, context) => rotateApiKey(context, id, overlapSeconds),
  }),
  revokeApiKey: t.field({
    type: ApiKeyType,
    description: 'Ends an API key at once, everywhere.',
    args: { id: t.arg.id({ required: true, description: 'The id of the API key.' }) },
    resolve: (_root, { id }, context) => revokeApiKey(context, id),
  }),
}))
