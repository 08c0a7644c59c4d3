import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { Member } from '../organization/member.entity.ts'
import type { User } from './user.entity.ts'

export const UserType = builder.objectRef<User>('User').implement({
  description: 'A person with an account: yourself, or a member of one of your organizations.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the user.' }),
    email: t.exposeString('email', { description: 'The address they sign in with.' }),
    emailVerifiedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When you confirmed your address; null until then, and for anybody else.',
      resolve: (user, _args, context) => (isSelf(user, context) ? user.emailVerifiedAt : null),
    }),
    name: t.exposeString('name', { description: 'What they are called.' }),
    isAdmin: t.boolean({
      description: 'Whether you are staff of this Sluice server; false for anybody else.',
      resolve: (user, _args, context) => isSelf(user, context) && user.isAdmin,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they signed up.' }),
  }),
})

builder.asEntity(UserType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, { users }) => users.load(id),
})

builder.queryField('me', (t) =>
  t.field({
    type: UserType,
    nullable: true,
    description: 'You; null when you are not signed in.',
    resolve: (_root, _args, context) => findSelf(context),
  }),
)

const ViewerKindEnum = builder.enumType('ViewerKind', {
  description: 'Kinds of credential.',
  values: {
    ANONYMOUS: { description: 'None.' },
    USER: { description: 'A sign-in.' },
    AUTHTOKEN: { description: 'The credential of a developer’s agent.' },
    API_KEY: { description: 'A partner’s credential for the public graph.' },
    RELAY: { description: 'The key of a relay.' },
  } as const,
})

const viewerKinds = {
  anonymous: 'ANONYMOUS',
  gateway: 'ANONYMOUS',
  user: 'USER',
  authtoken: 'AUTHTOKEN',
  'api-key': 'API_KEY',
  relay: 'RELAY',
} as const

export const ViewerType = builder.objectRef<{ self: true }>('Viewer').implement({
  description: 'Who is asking, and what with.',
  fields: (t) => ({
    kind: t.field({
      type: ViewerKindEnum,
      description: 'The kind of credential.',
      resolve: (_viewer, _args, { principal }) => viewerKinds[principal.kind],
    }),
    user: t.field({
      type: UserType,
      nullable: true,
      description: 'The person behind it; for an authtoken the member who made it.',
      resolve: (_viewer, _args, context) => findSelf(context),
    }),
    scopes: t.stringList({
      description: 'What an authtoken may do; empty for people, whose role decides.',
      resolve: (_viewer, _args, { principal }) => principal.scopes,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When an authtoken or API key ends by itself; null when it does not.',
      resolve: (_viewer, _args, { principal }) =>
        principal.expiresAt ? new Date(principal.expiresAt) : null,
    }),
    isAdmin: t.boolean({
      description: 'Whether this is staff of this Sluice server.',
      resolve: (_viewer, _args, { principal }) => principal.isAdmin,
    }),
  }),
})

builder.queryField('viewer', (t) =>
  t.field({
    tag: 'public',
    type: ViewerType,
    description: 'Who is asking, signed in or not.',
    resolve: () => ({ self: true as const }),
  }),
)

/** The memberships of oneself, as far as the credential reaches; nobody sees another's. */
export function findMemberships(user: User, context: Context): Promise<Member[]> {
  if (!isSelf(user, context)) return Promise.resolve([])
  return context.em.find(Member, { userId: user.id }, { orderBy: { joinedAt: 'asc', id: 'asc' } })
}

function isSelf(user: User, { principal }: Context): boolean {
  return principal.userId === user.id
}

async function findSelf({ principal, users }: Context): Promise<User | null> {
  return principal.userId === null ? null : users.load(principal.userId)
}
