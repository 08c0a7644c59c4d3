import { builder } from '../builder.ts'
import { UserType } from '../user/user.graph.ts'
import { deviceOf } from './device.ts'
import { findSignIns, revokeOtherSignIns, revokeSignIn } from './end-sign-ins.ts'
import { finishSignIn } from './finish-sign-in.ts'
import { refreshSignIn } from './refresh-sign-in.ts'
import type { SignIn } from './sign-in.entity.ts'
import { signIn, signOut } from './sign-in.ts'
import { signUp } from './sign-up.ts'
import type { SignedIn } from './start-sign-in.ts'

export const SignInType = builder.objectRef<SignedIn>('SignIn').implement({
  description: 'A sign-in that was started or goes on. Its refresh token travels in a cookie.',
  fields: (t) => ({
    accessToken: t.exposeString('accessToken', {
      description: 'Send it as `Authorization: Bearer …`.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When the access token ends; refresh before.',
    }),
    user: t.expose('user', { type: UserType, description: 'Who is signed in.' }),
  }),
})

const SignUpInput = builder.inputType('SignUpInput', {
  description: 'What an account is made of.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address to sign in with.' }),
    password: t.string({ required: true, description: '10 to 200 characters.' }),
    name: t.string({ required: true, description: 'What you are called.' }),
    organizationName: t.string({
      description: 'What your first organization is called; made from your name if left out.',
    }),
    invitation: t.string({
      description: 'What the link of an invitation ends with: you join that organization instead.',
    }),
  }),
})

const ActiveSignInType = builder.objectRef<SignIn>('ActiveSignIn').implement({
  description: 'One of your sign-ins that goes on.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the sign-in.' }),
    device: t.string({
      description: 'What the browser says it is.',
      resolve: ({ userAgent }) => deviceOf(userAgent),
    }),
    ip: t.exposeString('lastIp', { description: 'The address it was last used from.' }),
    place: t.string({
      nullable: true,
      description:
        'Roughly where that address is, such as `Berlin, Germany`; null when it is not known.',
      resolve: ({ lastIp }, _args, { placeNameOf }) => placeNameOf(lastIp),
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it was started.' }),
    lastUsedAt: t.expose('refreshedAt', {
      type: 'DateTime',
      description: 'When it was last used, to within a quarter of an hour.',
    }),
    isCurrent: t.boolean({
      description: 'Whether it is the one that asks.',
      resolve: ({ id }, _args, { principal }) => principal.signInId === id,
    }),
  }),
})

builder.queryField('signIns', (t) =>
  t.field({
    type: [ActiveSignInType],
    description: 'Your sign-ins that go on, the one used last first.',
    resolve: (_root, _args, context) => findSignIns(context),
  }),
)

builder.mutationFields((t) => ({
  endSignIn: t.id({
    description: 'Ends one of your sign-ins: that browser is signed out within seconds.',
    args: { id: t.arg.id({ required: true, description: 'The sign-in.' }) },
    resolve: (_root, { id }, context) => revokeSignIn(context, id),
  }),
  endOtherSignIns: t.int({
    description: 'Ends all your sign-ins but the one that asks. Answers how many.',
    resolve: (_root, _args, context) => revokeOtherSignIns(context),
  }),
  signUp: t.field({
    type: SignInType,
    description: 'Makes an account with a first organization that it owns, and signs in.',
    args: { input: t.arg({ type: SignUpInput, required: true, description: 'The account.' }) },
    resolve: (_root, { input }, context) => signUp(context, input),
  }),
  signIn: t.field({
    type: SignInType,
    description: 'Signs in.',
    args: {
      email: t.arg.string({ required: true, description: 'The address of the account.' }),
      password: t.arg.string({ required: true, description: 'Its password.' }),
      code: t.arg.string({
        description: 'Of the authenticator app, or a recovery code, where a second factor is on.',
      }),
    },
    resolve: (_root, { email, password, code }, context) =>
      signIn(context, email, password, code ?? null),
  }),
  finishSignIn: t.field({
    type: SignInType,
    description:
      'Goes on from `/sign-in/code`, where a sign-in through another account ends if a second factor is on.',
    args: {
      ticket: t.arg.string({ required: true, description: 'What the address ends with.' }),
      code: t.arg.string({
        required: true,
        description: 'Of the authenticator app, or a recovery code.',
      }),
    },
    resolve: (_root, { ticket, code }, context) => finishSignIn(context, ticket, code),
  }),
  signOut: t.boolean({
    description: 'Ends your sign-in everywhere at once. True also when there was none.',
    resolve: (_root, _args, context) => signOut(context),
  }),
  refreshSignIn: t.field({
    type: SignInType,
    description: 'Goes on with the sign-in of the refresh cookie: a new access token and cookie.',
    resolve: (_root, _args, context) => refreshSignIn(context),
  }),
}))
