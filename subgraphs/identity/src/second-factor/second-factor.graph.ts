import { builder } from '../builder.ts'
import {
  confirmSecondFactor,
  findSecondFactor,
  removeSecondFactor,
  renewRecoveryCodes,
  startSecondFactor,
  type TotpSetup,
} from './second-factor.ts'

const SecondFactorType = builder
  .objectRef<{ confirmedAt: Date; recoveryCodesLeft: number }>('SecondFactor')
  .implement({
    description: 'The codes of an authenticator app, which signing in needs beside the password.',
    fields: (t) => ({
      confirmedAt: t.expose('confirmedAt', {
        type: 'DateTime',
        description: 'When it was turned on.',
      }),
      recoveryCodesLeft: t.exposeInt('recoveryCodesLeft', {
        description: 'How many recovery codes are not used yet.',
      }),
    }),
  })

const TotpSetupType = builder.objectRef<TotpSetup>('TotpSetup').implement({
  description: 'What an authenticator app needs. It is shown once.',
  fields: (t) => ({
    secret: t.exposeString('secret', { description: 'To type into the app, base32.' }),
    uri: t.exposeString('uri', {
      description: 'The same as an `otpauth:` address, to show as QR.',
    }),
  }),
})

builder.queryField('secondFactor', (t) =>
  t.field({
    type: SecondFactorType,
    nullable: true,
    description: 'Your second factor; null while it is off.',
    resolve: (_root, _args, context) => findSecondFactor(context),
  }),
)

builder.mutationFields((t) => ({
  startSecondFactor: t.field({
    type: TotpSetupType,
    description: 'Makes a secret for an authenticator app. Confirm it with a code to turn it on.',
    resolve: (_root, _args, context) => startSecondFactor(context),
  }),
  confirmSecondFactor: t.stringList({
    description:
      'Turns the second factor on with a first code. Answers ten recovery codes, shown this once.',
    args: { code: t.arg.string({ required: true, description: 'Six digits of the app.' }) },
    resolve: (_root, { code }, context) => confirmSecondFactor(context, code),
  }),
  removeSecondFactor: t.boolean({
    description: 'Turns your second factor off.',
    resolve: (_root, _args, context) => removeSecondFactor(context),
  }),
  renewRecoveryCodes: t.stringList({
    description: 'Makes ten new recovery codes; those before are void.',
    resolve: (_root, _args, context) => renewRecoveryCodes(context),
  }),
}))
