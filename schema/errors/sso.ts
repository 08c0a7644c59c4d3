import type { Catalogue } from './catalogue.ts'

export const ssoErrors = {
  SLUICE_SSO_NOT_FOUND: {
    status: 404,
    title: 'There is no single sign-on here.',
    cause: 'The organization has not set it up, or has switched it off.',
    fix: 'Sign in with your email and password, or ask an admin of the organization.',
  },
  SLUICE_SSO_INCOMPLETE: {
    status: 409,
    title: 'The identity provider is not named yet.',
    cause: 'Single sign-on needs the settings of your identity provider first.',
    fix: 'Give its issuer and client, or its SAML metadata.',
  },
  SLUICE_SSO_ISSUER_INVALID: {
    status: 422,
    title: 'This issuer cannot be used: {reason}.',
    cause: 'An OpenID provider publishes what it can do at /.well-known/openid-configuration.',
    fix: 'Copy the issuer from the settings of your identity provider, to the letter.',
  },
  SLUICE_SSO_METADATA_INVALID: {
    status: 422,
    title: 'This metadata cannot be used: {reason}.',
    cause: 'Sluice reads the SAML 2.0 metadata of one identity provider.',
    fix: 'Download it again from your identity provider, and give it as it is.',
  },
  SLUICE_SSO_UNTESTED: {
    status: 409,
    title: 'Test the connection first.',
    cause: 'Nobody has signed in with the present settings yet.',
    fix: 'Run the connection test, then switch single sign-on on.',
  },
  SLUICE_SSO_NO_OWNER_LEFT: {
    status: 409,
    title: 'No owner could enter without the identity provider.',
    cause: 'If it fails one day, only an owner with a second factor can still come in.',
    fix: 'Have an owner set up a second factor on the security page, then try again.',
  },
  SLUICE_SSO_REQUIRED: {
    status: 409,
    title: 'Single sign-on is required at present.',
    cause: 'Another identity provider would lock the members out.',
    fix: 'Set it to optional, change and test the settings, then require it again.',
  },
  SLUICE_SSO_INTERRUPTED: {
    status: 400,
    title: 'This sign-in cannot be finished.',
    cause: 'It took longer than ten minutes, was finished before, or began in another browser.',
    fix: 'Start again.',
  },
  SLUICE_SSO_DECLINED: {
    status: 403,
    title: 'Your identity provider did not let you in.',
    cause: 'The sign-in there was cancelled or refused.',
    fix: 'Try again, or ask who looks after the identity provider.',
  },
  SLUICE_SSO_ANSWER_REFUSED: {
    status: 403,
    title: 'The answer of the identity provider was not accepted.',
    cause: 'It is not signed as expected, not meant for this sign-in, or too old.',
    fix: 'Try again. If it stays, an admin of the organization finds the reason in the audit log.',
  },
  SLUICE_SSO_EMAIL_FOREIGN: {
    status: 403,
    title: 'Your address is not one of this organization.',
    cause:
      'The identity provider may only bring people whose email domain the organization has verified.',
    fix: 'Ask an admin to verify the domain of your address. Members connect from inside: sign in as before, then use single sign-on.',
  },
  SLUICE_SSO_ACCOUNT_UNCONFIRMED: {
    status: 409,
    title: 'There is an account with your address that nobody has confirmed.',
    cause: 'Somebody signed up with it and never showed that the address is theirs.',
    fix: 'Use “Forgot password” to make the account yours, then try again.',
  },
  SLUICE_SSO_NOT_A_MEMBER: {
    status: 403,
    title: 'You are not a member of this organization.',
    cause: 'It takes no new members through single sign-on.',
    fix: 'Ask an admin to invite you.',
  },
  SLUICE_SSO_DEPROVISIONED: {
    status: 403,
    title: 'Your identity provider has taken you out of this organization.',
    cause: 'The organization has its members sent by SCIM, which says that you are none of them.',
    fix: 'Ask whoever looks after your identity provider to assign you again, or an admin to invite you.',
  },
  SLUICE_SSO_OWNER: {
    status: 403,
    title: 'Owners sign in with their own account.',
    cause: 'No identity provider speaks for an owner of the organization.',
    fix: 'Sign in with your email and password, and your second factor.',
  },
  SLUICE_SSO_OTHER_PERSON: {
    status: 409,
    title: 'The identity provider named somebody else.',
    cause: 'Who you are there belongs to another account here.',
    fix: 'Sign out at the identity provider, and in again as yourself.',
  },
  SLUICE_SSO_SIGN_IN_ONLY: {
    status: 403,
    title: 'This sign-in is for one organization.',
    cause: 'It came from the single sign-on of that organization, and is nobody elsewhere.',
    fix: 'Sign in with your own account to do this.',
  },
} as const satisfies Catalogue
