import { connectionType } from '@sluice/kit/graph'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { ServiceAccountType } from '../service-account/service-account.graph.ts'
import { UserType } from '../user/user.graph.ts'
import { changeCredential } from './change-credential.ts'
import type { Credential } from './credential-kinds.ts'
import {
  credentialPage,
  revokeCredential,
  rotateCredential,
  type Created,
  type CredentialRules,
} from './credentials.ts'

type Types = (typeof builder)['$inferSchemaTypes']
type Ref<Row> = Parameters<typeof connectionType<Types, Row>>[2]

/** How one kind of credential is called in the graph, and what is said of it alone. */
interface Words {
  readonly type: 'Authtoken' | 'ApiKey'
  readonly field: 'authtoken' | 'apiKey'
  /** With its article. */
  readonly one: 'an authtoken' | 'an API key'
  readonly createdBy: string
  readonly serviceAccount: string
  readonly list: string
  readonly revoke: string
}

const TermsInput = builder.inputType('CredentialTermsInput', {
  description: 'Until when and from where a credential is good. What is left out stays.',
  fields: (t) => ({
    expiresAt: t.field({
      type: 'DateTime',
      description: 'From when it is void; null for never by itself.',
    }),
    allowedIps: t.stringList({
      description: 'Addresses and CIDR blocks that it may be used from; null or none for anywhere.',
    }),
  }),
})

/**
 * Adds what authtokens and API keys have in common: fields, the list of an organization, and what is done to one. Answers
 * the type of a new one with its secret.
 */
export function credentialInGraph<Row extends Credential & Own, Own extends object>(
  type: Ref<Row>,
  rules: CredentialRules<Row, Own>,
  words: Words,
): Ref<Created<Row>> {
  const { type: name, field, one } = words
  const what = one.replace(/^an /, '')
  addFields(type, what, words)
  builder.objectField(OrganizationType, `${field}s`, (t) =>
    t.field({
      type: connectionType(builder, name, type),
      description: words.list,
      args: { first: t.arg.int(pageArgs.first), after: t.arg.string(pageArgs.after) },
      resolve: ({ id }, args, context) => credentialPage(context, rules, id, args),
    }),
  )
  const created = builder.objectRef<Created<Row>>(`Created${name}`)
  created.implement({
    description: `A new ${what} with its secret.`,
    fields: (t) => ({
      [field]: t.field({
        type,
        description: `The ${what}.`,
        resolve: ({ credential }) => credential as never,
      }),
      secret: t.exposeString('secret', {
        description: `The ${what} itself. Store it now: it is not shown again.`,
      }),
    }),
  })
  builder.mutationFields((t) => ({
    [`rotate${name}`]: t.field({
      type: created,
      description: `Puts a new ${what} in the place of one, which stays good for a while.`,
      args: {
        id: t.arg.id({ required: true, description: 'The id of the one that is to end.' }),
        overlapSeconds: t.arg.int({
          required: true,
          description: 'How long both are good: 0, or from two minutes to thirty days.',
        }),
      },
      resolve: (_root, { id, overlapSeconds }, context) =>
        rotateCredential(context, rules, id, overlapSeconds),
    }),
    [`change${name}`]: t.field({
      type,
      description: `Changes until when and from where ${one} is good; what it no longer allows ends at once, everywhere. To allow more, hold all that it may do.`,
      args: {
        id: t.arg.id({ required: true, description: `The id of the ${what}.` }),
        terms: t.arg({ type: TermsInput, required: true, description: 'What is to be different.' }),
      },
      resolve: (_root, { id, terms }, context) =>
        changeCredential(context, rules, id, terms) as never,
    }),
    [`revoke${name}`]: t.field({
      type,
      description: words.revoke,
      args: { id: t.arg.id({ required: true, description: `The id of the ${what}.` }) },
      resolve: (_root, { id }, context) => revokeCredential(context, rules, id) as never,
    }),
  }))
  return created
}

function addFields(
  type: Ref<Credential>,
  what: string,
  { createdBy, serviceAccount }: Words,
): void {
  builder.objectFields(type, (t) => ({
    id: t.exposeID('id', { description: `The id of the ${what}.` }),
    name: t.exposeString('name', { description: 'What it is for.' }),
    prefix: t.exposeString('prefix', { description: 'Its first characters.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    createdBy: t.field({
      type: UserType,
      nullable: true,
      description: createdBy,
      resolve: ({ createdBy: id }, _args, { users }) => (id ? users.load(id) : null),
    }),
    serviceAccount: t.field({
      type: ServiceAccountType,
      nullable: true,
      description: serviceAccount,
      resolve: ({ serviceAccountId: id }, _args, { serviceAccounts }) =>
        id ? serviceAccounts.load(id) : null,
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
      description: `The ${what} that a rotation has put in its place.`,
    }),
  }))
}
