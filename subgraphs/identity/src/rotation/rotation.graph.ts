import { connectionType } from '@sluice/kit/graph'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { UserType } from '../user/user.graph.ts'
import { rotateInternalKeys } from './internal-keys.ts'
import { findSigningKeyRotations, rotateSigningKeys, rotationPage } from './rotation.ts'
import type { RotationKind, SecretRotation } from './secret-rotation.entity.ts'

const RotationKindEnum = builder.enumType('SecretRotationKind', {
  description: 'What was rotated.',
  values: {
    AUTHTOKEN: { value: 'authtoken', description: 'An authtoken.' },
    API_KEY: { value: 'api-key', description: 'An API key.' },
    SIGNING_KEY: {
      value: 'signing-key',
      description: 'A key that signs sign-ins and agent tokens.',
    },
    INTERNAL_KEY: { value: 'internal-key', description: 'A key by which the gateway is known.' },
  } satisfies Record<string, { value: RotationKind; description: string }>,
})

const SecretRotationType = builder.objectRef<SecretRotation>('SecretRotation').implement({
  description: 'A secret took the place of another.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the rotation.' }),
    kind: t.expose('kind', { type: RotationKindEnum, description: 'What was rotated.' }),
    secretId: t.exposeID('secretId', { description: 'The id of the old one.' }),
    successorId: t.exposeID('successorId', { description: 'The id of the new one.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    by: t.field({
      type: UserType,
      nullable: true,
      description: 'Who did it; null for the schedule, or when they have left.',
      resolve: ({ by }, _args, { users }) => (by ? users.load(by) : null),
    }),
    oldEndsAt: t.expose('oldEndsAt', { type: 'DateTime', description: 'When the old one ends.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the old one had ended; null while both are good.',
    }),
    verifiedAt: t.expose('verifiedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the new one was first seen to work.',
    }),
  }),
})

const SecretRotationConnection = connectionType(builder, 'SecretRotation', SecretRotationType)

builder.objectField(OrganizationType, 'secretRotations', (t) =>
  t.field({
    type: SecretRotationConnection,
    description: 'Rotations of its authtokens and API keys, newest first.',
    args: { first: t.arg.int(pageArgs.first), after: t.arg.string(pageArgs.after) },
    resolve: ({ id }, args, context) => rotationPage(context, id, args),
  }),
)

builder.queryField('signingKeyRotations', (t) =>
  t.field({
    type: [SecretRotationType],
    nullable: true,
    description:
      'The latest rotations of keys that sign: sign-ins and agent tokens, and what gateways say. For staff.',
    resolve: (_root, _args, context) => findSigningKeyRotations(context),
  }),
)

builder.mutationField('rotateInternalKeys', (t) =>
  t.field({
    type: SecretRotationType,
    description:
      'Asks every gateway for another key to be known by; keys of before are refused two minutes later. For staff.',
    resolve: (_root, _args, context) => rotateInternalKeys(context),
  }),
)

builder.mutationField('rotateSigningKeys', (t) =>
  t.field({
    type: SecretRotationType,
    description:
      'Makes the next key that signs sign-ins and agent tokens; it signs once everybody has read it. For staff.',
    resolve: (_root, _args, context) => rotateSigningKeys(context),
  }),
)
