import type { Catalogue } from './catalogue.ts'

export const signInErrors = {
  SLUICE_UNAUTHENTICATED: {
    status: 401,
    title: 'You are not signed in.',
    cause: 'The request carried no credential, or one that has expired or was revoked.',
    fix: 'Sign in again; in the CLI run `sluice login`.',
  },
  SLUICE_SIGN_IN_FAILED: {
    status: 401,
    title: 'Email or password is wrong.',
    cause: 'No user has this email and password together.',
    fix: 'Check both and try again.',
  },
  SLUICE_SIGN_IN_REUSED: {
    status: 401,
    title: 'This sign-in was ended for safety.',
    cause: 'A refresh token was used twice, which happens when it was copied.',
    fix: 'Sign in again. If it was not you, change your password.',
  },
  SLUICE_SIGN_IN_NOT_FOUND: {
    status: 404,
    title: 'There is no such sign-in.',
    cause: 'It has ended, or it is not one of yours.',
    fix: 'Look at the list of your sign-ins again.',
  },
  SLUICE_REAUTHENTICATION_NEEDED: {
    status: 403,
    title: 'Show that it is still you.',
    cause:
      'This changes what guards your account, or cannot be undone, and your last proof is more than ten minutes old.',
    fix: 'Enter your password again, then repeat what you did.',
  },
  SLUICE_PASSWORD_WRONG: {
    status: 403,
    title: 'The password is wrong.',
    cause: 'It is not the present password of your account.',
    fix: 'Check it and try again. If you have forgotten it, sign out and ask for a new one.',
  },
  SLUICE_PASSWORD_BREACHED: {
    status: 422,
    title: 'This password is known to others.',
    cause:
      'It is among those that many people use, or that leaked elsewhere: guessers try them first.',
    fix: 'Choose another one, for example a few words that do not belong together.',
  },
  SLUICE_CODE_NEEDED: {
    status: 401,
    title: 'Enter a code of your authenticator app.',
    cause: 'This account has a second factor.',
    fix: 'Enter the six digits that the app shows, or one of your recovery codes.',
  },
  SLUICE_CODE_WRONG: {
    status: 401,
    title: 'The code is wrong.',
    cause: 'It is not the present one of your authenticator app, or it was used before.',
    fix: 'Wait for the next code, and check the clock of your phone. A recovery code is good once.',
  },
  SLUICE_TICKET_INVALID: {
    status: 401,
    title: 'This step is no longer open.',
    cause: 'It was done already, or more than a few minutes have passed since the one before.',
    fix: 'Start again.',
  },
  SLUICE_SOCIAL_OFF: {
    status: 404,
    title: 'Signing in with this provider is not set up here.',
    cause: 'The operator of this server has not named a client for it.',
    fix: 'Sign in another way.',
  },
  SLUICE_SOCIAL_FAILED: {
    status: 403,
    title: 'Signing in with the other account did not work.',
    cause:
      'What came back does not belong to an attempt that this browser started in the last ten minutes, or the provider did not confirm it.',
    fix: 'Start again, in one tab. If it happens again, tell the operator of this server.',
  },
  SLUICE_SOCIAL_DECLINED: {
    status: 403,
    title: 'Signing in with the other account was called off.',
    cause: 'The provider says that you did not agree.',
    fix: 'Start again and agree there, or sign in another way.',
  },
  SLUICE_SOCIAL_UNREACHABLE: {
    status: 503,
    title: 'The provider does not answer.',
    cause: 'This server could not reach the provider of the other account.',
    fix: 'Try again in a moment, or sign in another way.',
  },
  SLUICE_SOCIAL_EMAIL_UNVERIFIED: {
    status: 403,
    title: 'The other account has no confirmed email.',
    cause: 'A new account here needs an address that its provider has seen you read.',
    fix: 'Confirm your address there, or sign up here with it.',
  },
  SLUICE_SOCIAL_EMAIL_KNOWN: {
    status: 409,
    title: 'This email has an account here already.',
    cause: 'The other account is not linked to it, and an address alone opens nothing.',
    fix: 'Sign in as you did before, then link the other account under Security.',
  },
  SLUICE_SOCIAL_TAKEN: {
    status: 409,
    title: 'The other account is linked already.',
    cause: 'It signs in to another account here, and cannot sign in to two.',
    fix: 'Remove it there first, or use another one.',
  },
  SLUICE_SOCIAL_NOT_LINKED: {
    status: 404,
    title: 'The other account is not linked to yours.',
    cause: 'It was removed, or it never signed in to this account.',
    fix: 'Look at the list under Security again.',
  },
  SLUICE_SOCIAL_LINKS_MAX: {
    status: 409,
    title: 'No more than {max} other accounts can be linked.',
    cause: 'Each of them is a way into your account.',
    fix: 'Remove one that you do not use.',
  },
  SLUICE_PASSKEY_REFUSED: {
    status: 401,
    title: 'The passkey was not accepted.',
    cause:
      'It is not known here, its answer came too late or twice, or the device did not check that it is you.',
    fix: 'Try again and unlock the device when it asks. If the passkey was removed here, sign in another way.',
  },
  SLUICE_PASSKEY_NOT_FOUND: {
    status: 404,
    title: 'There is no such passkey.',
    cause: 'It was removed, or it is not one of yours.',
    fix: 'Look at the list of your passkeys again.',
  },
  SLUICE_PASSKEYS_MAX: {
    status: 409,
    title: 'No more than {max} passkeys can be added.',
    cause: 'Each of them is a way into your account.',
    fix: 'Remove one that you do not use.',
  },
  SLUICE_ACCOUNT_OWNS: {
    status: 409,
    title: 'Others would be left without an owner: {organizations}.',
    cause: 'You are the only owner there, and not the only member.',
    fix: 'Make somebody else the owner, or delete the organization, and then your account.',
  },
  SLUICE_LAST_STAFF: {
    status: 409,
    title: 'You are the only member of staff.',
    cause: 'Without your account nobody could look after this server.',
    fix: 'Make somebody else staff first.',
  },
  SLUICE_LAST_WAY_IN: {
    status: 409,
    title: 'Without this you could not sign in any more.',
    cause: 'Your account has no password, and no other passkey or linked account.',
    fix: 'Set a password or add a passkey first.',
  },
  SLUICE_SECOND_FACTOR_ON: {
    status: 409,
    title: 'Your second factor is on already.',
    cause: 'An account has one authenticator app.',
    fix: 'Turn the second factor off first, then set it up anew.',
  },
  SLUICE_SECOND_FACTOR_OFF: {
    status: 409,
    title: 'Your second factor is off.',
    cause: 'It was not set up, or it was turned off meanwhile.',
    fix: 'Set it up on the security page.',
  },
  SLUICE_LINK_INVALID: {
    status: 410,
    title: 'This link is not good any more.',
    cause:
      'Links in mails are good once and for a limited time, and a later change makes them void.',
    fix: 'Ask for a new mail, and open the newest one.',
  },
  SLUICE_MAIL_NOT_FOUND: {
    status: 404,
    title: 'There is no such mail that failed.',
    cause: 'It is unknown, or it was sent or is on its way.',
    fix: 'Look at the list of mails again.',
  },
  SLUICE_FORBIDDEN: {
    status: 403,
    title: 'You may not do this.',
    cause: 'Your role in the organization, or the scopes of your authtoken, do not allow it.',
    fix: 'Ask an owner or admin of the organization.',
  },
  SLUICE_RATE_LIMITED: {
    status: 429,
    title: 'Too many attempts.',
    cause: 'The limit for this action was reached.',
    fix: 'Try again in {retryAfterSeconds} s.',
  },
  SLUICE_INPUT_INVALID: {
    status: 400,
    title: 'The input is not valid: {reason}',
    cause: 'A value is missing, too long, or has the wrong form.',
    fix: 'Correct the value and send it again.',
  },
  SLUICE_EMAIL_TAKEN: {
    status: 409,
    title: 'This email has an account already.',
    cause: 'Another user signed up with it.',
    fix: 'Sign in, or use another email.',
  },
  SLUICE_USER_NOT_FOUND: {
    status: 404,
    title: 'There is no such user.',
    cause: 'Nobody has signed up with this email.',
    fix: 'Ask the person to sign up first.',
  },
} as const satisfies Catalogue
