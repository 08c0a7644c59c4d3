import { builder } from '../builder.ts'
import { SignInType } from '../sign-in/sign-in.graph.ts'
import { addPasskey, startPasskey } from './add-passkey.ts'
import type { Passkey } from './passkey.entity.ts'
import { findPasskeys, removePasskey, renamePasskey } from './passkeys.ts'
import {
  proveWithPasskey,
  signInWithPasskey,
  startPasskeyProof,
  startPasskeySignIn,
} from './use-passkey.ts'

const PasskeyType = builder.objectRef<Passkey>('Passkey').implement({
  description: 'A key on a device of yours that signs you in.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the passkey.' }),
    name: t.exposeString('name', { description: 'What you call it.' }),
    isBackedUp: t.exposeBoolean('isBackedUp', {
      description: 'Whether it is kept on several devices, so that losing one loses nothing.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used; null for never.',
    }),
  }),
})

const response = {
  required: true,
  description: 'What the browser made of the options, as JSON.',
} as const

builder.queryField('passkeys', (t) =>
  t.field({
    type: [PasskeyType],
    description: 'Your passkeys.',
    resolve: (_root, _args, context) => findPasskeys(context),
  }),
)

builder.mutationFields((t) => ({
  startPasskey: t.string({
    description: 'Answers the options with which a browser makes a passkey (WebAuthn), as JSON.',
    resolve: (_root, _args, context) => startPasskey(context),
  }),
  addPasskey: t.field({
    type: PasskeyType,
    description: 'Adds the passkey that the browser made.',
    args: {
      name: t.arg.string({ required: true, description: 'What you call it.' }),
      response: t.arg.string(response),
    },
    resolve: (_root, args, context) => addPasskey(context, args.name, args.response),
  }),
  renamePasskey: t.field({
    type: PasskeyType,
    description: 'Calls a passkey something else.',
    args: {
      id: t.arg.id({ required: true, description: 'The passkey.' }),
      name: t.arg.string({ required: true, description: 'What you call it from now on.' }),
    },
    resolve: (_root, { id, name }, context) => renamePasskey(context, id, name),
  }),
  removePasskey: t.id({
    description: 'The passkey can no longer sign in.',
    args: { id: t.arg.id({ required: true, description: 'The passkey.' }) },
    resolve: (_root, { id }, context) => removePasskey(context, id),
  }),
  startPasskeySignIn: t.string({
    description: 'Answers the options with which a browser uses a passkey, as JSON.',
    resolve: (_root, _args, context) => startPasskeySignIn(context),
  }),
  signInWithPasskey: t.field({
    type: SignInType,
    description: 'Signs in with a passkey, which stands for the second factor as well.',
    args: { response: t.arg.string(response) },
    resolve: (_root, args, context) => signInWithPasskey(context, args.response),
  }),
  startPasskeyProof: t.string({
    description: 'Answers the options with which a browser uses one of your passkeys, as JSON.',
    resolve: (_root, _args, context) => startPasskeyProof(context),
  }),
  reauthenticateWithPasskey: t.boolean({
    description: 'Shows with a passkey that it is still you, as `reauthenticate` does.',
    args: { response: t.arg.string(response) },
    resolve: (_root, args, context) => proveWithPasskey(context, args.response),
  }),
}))
