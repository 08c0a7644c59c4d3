import { builder } from '../builder.ts'
import { UserType } from '../user/user.graph.ts'
import { refreshSignIn } from './refresh-sign-in.ts'
import { signIn, signOut } from './sign-in.ts'
import { signUp } from './sign-up.ts'
import type { SignedIn } from './start-sign-in.ts'

const SignInType = builder.objectRef<SignedIn>('SignIn').implement({
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
  }),
})

builder.mutationFields((t) => ({
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
    },
    resolve: (_root, { email, password }, context) => signIn(context, email, password),
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
