import { builder } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { auditStreamKinds, type AuditStream } from './audit-stream.entity.ts'
import {
  auditStreams,
  createAuditStream,
  deleteAuditStream,
  lagOf,
  stateOf,
  switchAuditStream,
} from './audit-stream.ts'

const AuditStreamKindType = builder.enumType('AuditStreamKind', {
  description: 'Where a stream leads.',
  values: {
    WEBHOOK: { value: auditStreamKinds[0], description: 'An address that entries are posted to.' },
    BUCKET: { value: auditStreamKinds[1], description: 'A bucket of an S3-compatible store.' },
  },
})

const AuditStreamStateType = builder.enumType('AuditStreamState', {
  description: 'How a stream is doing.',
  values: {
    DELIVERING: { description: 'What is written arrives.' },
    FAILING: { description: 'It is tried again, ever more rarely.' },
    OFF: { description: 'Nothing is sent until it is switched on.' },
  } as const,
})

const AuditStreamType = builder.objectRef<AuditStream>('AuditStream').implement({
  description:
    'Where the audit of an organization is sent as it grows: each entry at least once, in order.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id.' }),
    name: t.exposeString('name', { description: 'What it is for.' }),
    kind: t.field({
      type: AuditStreamKindType,
      description: 'Where it leads.',
      resolve: ({ kind }) => kind,
    }),
    url: t.exposeString('url', { description: 'The address, or endpoint and bucket.' }),
    state: t.field({
      type: AuditStreamStateType,
      description: 'How it is doing.',
      resolve: (stream) => stateOf(stream),
    }),
    lag: t.int({
      description: 'How many entries have not arrived.',
      resolve: (stream, _args, context) => lagOf(context, stream),
    }),
    failures: t.exposeInt('failures', { description: 'Attempts that failed in a row.' }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Why the last attempt failed; null when it did not.',
    }),
    nextAt: t.expose('nextAt', { type: 'DateTime', description: 'When it is looked at again.' }),
    deliveredAt: t.expose('deliveredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When entries last arrived.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
})

const CreatedAuditStreamType = builder
  .objectRef<{ stream: AuditStream; secret: string | null }>('CreatedAuditStream')
  .implement({
    description: 'A new stream.',
    fields: (t) => ({
      stream: t.expose('stream', { type: AuditStreamType, description: 'The stream.' }),
      secret: t.exposeString('secret', {
        nullable: true,
        description:
          'What a webhook’s messages are signed with. Store it now: it is not shown again.',
      }),
    }),
  })

builder.objectField(OrganizationType, 'auditStreams', (t) =>
  t.field({
    type: [AuditStreamType],
    description: 'Where its audit is sent, by name.',
    resolve: ({ id }, _args, context) => auditStreams(context, id),
  }),
)

builder.mutationFields((t) => ({
  createAuditStream: t.field({
    type: CreatedAuditStreamType,
    description: 'Sends the audit to a webhook or a bucket from now on. For owners and admins.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'Whose audit.' }),
      name: t.arg.string({ required: true, description: 'What it is for.' }),
      kind: t.arg({ type: AuditStreamKindType, required: true, description: 'Where it leads.' }),
      url: t.arg.string({
        required: true,
        description:
          'The address, or `https://endpoint/bucket` with a prefix behind it if you like.',
      }),
      region: t.arg.string({ description: 'Of a bucket: its region, `us-east-1` if left out.' }),
      accessKeyId: t.arg.string({ description: 'Of a bucket: whose requests they are.' }),
      secretAccessKey: t.arg.string({ description: 'Of a bucket: what signs them.' }),
      fromBeginning: t.arg.boolean({ description: 'Send what there is, too.' }),
    },
    resolve: (_root, args, context) => createAuditStream(context, args),
  }),
  switchAuditStream: t.field({
    type: AuditStreamType,
    description: 'Switches a stream off, or on: then it is tried at once. For owners and admins.',
    args: {
      id: t.arg.id({ required: true, description: 'The stream.' }),
      isOn: t.arg.boolean({ required: true, description: 'Whether entries are sent.' }),
    },
    resolve: (_root, { id, isOn }, context) => switchAuditStream(context, id, isOn),
  }),
  deleteAuditStream: t.id({
    description: 'Ends a stream for good. For owners and admins. Returns its id.',
    args: { id: t.arg.id({ required: true, description: 'The stream.' }) },
    resolve: (_root, { id }, context) => deleteAuditStream(context, id),
  }),
}))
