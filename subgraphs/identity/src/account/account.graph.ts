import { builder } from '../builder.ts'
import { changeEmail, confirmEmail, sendEmailVerification } from './confirm-email.ts'
import { deleteAccount } from './delete-account.ts'
import { changePassword, requestPasswordReset, resetPassword } from './password.ts'
import { reauthenticate } from './prove.ts'
import { hasPassword } from './ways-in.ts'

builder.queryField('hasPassword', (t) =>
  t.boolean({
    description: 'Whether your account has a password; who signs in by other ways only has none.',
    resolve: (_root, _args, context) => hasPassword(context),
  }),
)

builder.mutationFields((t) => ({
  sendEmailVerification: t.boolean({
    description: 'Mails you a link that confirms your address. True also when it is confirmed.',
    resolve: (_root, _args, context) => sendEmailVerification(context),
  }),
  changeEmail: t.boolean({
    description:
      'Mails a link to a new address, and a notice to the present one. The address changes when the link is opened.',
    args: { email: t.arg.string({ required: true, description: 'The new address.' }) },
    resolve: (_root, { email }, context) => changeEmail(context, email),
  }),
  confirmEmail: t.string({
    description: 'Uses the link of a mail: confirms an address, or changes to it. Answers it.',
    args: { token: t.arg.string({ required: true, description: 'What the link ends with.' }) },
    resolve: (_root, { token }, context) => confirmEmail(context, token),
  }),
  requestPasswordReset: t.boolean({
    description: 'Mails a link for a new password, if the address has an account. Always true.',
    args: { email: t.arg.string({ required: true, description: 'The address of the account.' }) },
    resolve: (_root, { email }, context) => requestPasswordReset(context, email),
  }),
  resetPassword: t.boolean({
    description: 'Uses the link of a mail: sets a new password and ends every sign-in.',
    args: {
      token: t.arg.string({ required: true, description: 'What the link ends with.' }),
      password: t.arg.string({ required: true, description: '10 to 200 characters.' }),
    },
    resolve: (_root, { token, password }, context) => resetPassword(context, token, password),
  }),
  changePassword: t.boolean({
    description: 'Replaces your password and ends your other sign-ins.',
    args: {
      currentPassword: t.arg.string({ required: true, description: 'The one you have.' }),
      password: t.arg.string({ required: true, description: '10 to 200 characters.' }),
    },
    resolve: (_root, { currentPassword, password }, context) =>
      changePassword(context, currentPassword, password),
  }),
  deleteAccount: t.boolean({
    description:
      'Deletes your account at once, with the organizations that you alone are in, and ends all your sign-ins.',
    args: {
      email: t.arg.string({ required: true, description: 'Your address, so that it is meant.' }),
    },
    resolve: (_root, { email }, context) => deleteAccount(context, email),
  }),
  reauthenticate: t.boolean({
    description:
      'Shows that it is still you: for ten minutes you may change what guards your account.',
    args: {
      password: t.arg.string({ required: true, description: 'Your password.' }),
      code: t.arg.string({ description: 'Of your second factor, where it is on.' }),
    },
    resolve: (_root, { password, code }, context) =>
      reauthenticate(context, password, code ?? null),
  }),
}))
