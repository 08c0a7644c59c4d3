import { builder } from '../builder.ts'
import { listRevocations } from './revocation-list.ts'

const RevokedCredentialType = builder
  .objectRef<{ kind: string; id: string; at: Date }>('RevokedCredential')
  .implement({
    description: 'Something that is void.',
    fields: (t) => ({
      kind: t.exposeString('kind', { description: 'What it is, such as `authtoken`.' }),
      id: t.exposeString('id', { description: 'Its id.' }),
      at: t.expose('at', { type: 'DateTime', description: 'What was issued before is void.' }),
    }),
  })

builder.queryField('revokedCredentials', (t) =>
  t.field({
    type: [RevokedCredentialType],
    nullable: true,
    description: 'What was revoked since then, the latest first. For relay keys only.',
    args: {
      since: t.arg({ type: 'DateTime', required: true, description: 'What came before is known.' }),
    },
    resolve: (_root, { since }, context) => listRevocations(context, since),
  }),
)
