/** One failure that a person can meet: how it looks on every surface, and what to do about it. */
interface Entry {
  /** HTTP status, also the GraphQL error's `status`. */
  readonly status: number
  /** One sentence. `{name}` is filled from the error's details. */
  readonly title: string
  readonly cause: string
  readonly fix: string
}

/** Every failure that a person can meet. A code is a public contract: add, never rename or reuse. */
export const errors = {
  // Signing in and permissions
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
  SLUICE_AUTHTOKEN_INVALID: {
    status: 401,
    title: 'The authtoken is not valid.',
    cause: 'It is mistyped, was revoked, or belongs to another Sluice server.',
    fix: 'Create one in the console under Authtokens, then run `sluice login`.',
  },
  SLUICE_AUTHTOKEN_NOT_FOUND: {
    status: 404,
    title: 'There is no such authtoken.',
    cause: 'It does not exist in this organization.',
    fix: 'List the authtokens and use an id from there.',
  },
  SLUICE_AUTHTOKEN_EXPIRED: {
    status: 401,
    title: 'The authtoken has expired.',
    cause: 'It was made for a limited time, or was replaced by another one.',
    fix: 'Create or rotate one in the console under Authtokens, then run `sluice login`.',
  },
  SLUICE_AUTHTOKEN_IP_REFUSED: {
    status: 403,
    title: 'The authtoken may not be used from here.',
    cause: 'It is good for some addresses only, and {ip} is none of them.',
    fix: 'Use it from one of its addresses, or create one that allows yours.',
  },
  SLUICE_API_KEY_INVALID: {
    status: 401,
    title: 'The API key is not valid.',
    cause: 'It is mistyped, was revoked, or belongs to another Sluice server.',
    fix: 'Create one in the console under API keys.',
  },
  SLUICE_API_KEY_EXPIRED: {
    status: 401,
    title: 'The API key has expired.',
    cause: 'It was made for a limited time, or was replaced by another one.',
    fix: 'Create or rotate one in the console under API keys.',
  },
  SLUICE_API_KEY_IP_REFUSED: {
    status: 403,
    title: 'The API key may not be used from here.',
    cause: 'It is good for some addresses only, and {ip} is none of them.',
    fix: 'Use it from one of its addresses, or create one that allows yours.',
  },
  SLUICE_API_KEY_NOT_HERE: {
    status: 403,
    title: 'API keys are not for this address.',
    cause: 'They open the public graph at /public/graphql and the paths below /v1/ only.',
    fix: 'Send the request there. The CLI and the console have credentials of their own.',
  },
  SLUICE_API_KEY_NOT_FOUND: {
    status: 404,
    title: 'There is no such API key.',
    cause: 'It does not exist in this organization.',
    fix: 'List the API keys and use an id from there.',
  },
  SLUICE_SERVICE_ACCOUNT_NOT_FOUND: {
    status: 404,
    title: 'There is no such service account.',
    cause: 'It does not exist in this organization.',
    fix: 'List the service accounts and use an id from there.',
  },
  SLUICE_CREDENTIAL_ENDED: {
    status: 409,
    title: 'It cannot be rotated any more.',
    cause: 'It was revoked, has expired, or has been rotated already.',
    fix: 'Create a new one.',
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
  SLUICE_ORGANIZATION_NOT_FOUND: {
    status: 404,
    title: 'There is no such organization.',
    cause: 'It does not exist, or you are not a member of it.',
    fix: 'Choose one of your organizations.',
  },
  SLUICE_AUDIT_STREAM_NOT_FOUND: {
    status: 404,
    title: 'There is no such audit stream.',
    cause: 'It does not exist, or belongs to another organization.',
    fix: 'Choose one of the streams that the audit page of the console shows.',
  },
  SLUICE_AUDIT_STREAMS_MAX: {
    status: 409,
    title: 'An organization has at most {max} audit streams.',
    cause: 'The audit is sent to that many places already.',
    fix: 'Delete a stream that nobody needs.',
  },
  SLUICE_ORGANIZATION_SLUG_TAKEN: {
    status: 409,
    title: 'The slug {slug} is taken.',
    cause: 'Another organization has it.',
    fix: 'Choose another slug.',
  },
  SLUICE_MEMBER_NOT_FOUND: {
    status: 404,
    title: 'There is no such member.',
    cause: 'The person is not in this organization.',
    fix: 'List the members and use an id from there.',
  },
  SLUICE_MEMBER_EXISTS: {
    status: 409,
    title: 'This person is a member already.',
    cause: 'The organization has this member.',
    fix: 'Change the role of the member instead.',
  },
  SLUICE_SCIM_TOKEN_NOT_FOUND: {
    status: 404,
    title: 'There is no such SCIM token.',
    cause: 'The id is wrong, the token has ended, or it belongs to an organization you are not in.',
    fix: 'Look at the SCIM page of the organization.',
  },
  SLUICE_SCIM_TOKENS_MAX: {
    status: 409,
    title: 'The organization has {max} SCIM tokens that work, the most there can be.',
    cause: 'Each token manages all people of the organization, so few are kept.',
    fix: 'Revoke one that is no longer used.',
  },
  SLUICE_SCIM_GROUP_NOT_FOUND: {
    status: 404,
    title: 'There is no such group.',
    cause: 'The identity provider has deleted it, or it belongs to an organization you are not in.',
    fix: 'Look at the SCIM page of the organization.',
  },
  SLUICE_LAST_OWNER: {
    status: 409,
    title: 'An organization needs an owner.',
    cause: 'This would remove the last owner.',
    fix: 'Make somebody else owner first.',
  },
  SLUICE_MEMBERSHIPS_MAX: {
    status: 403,
    title: 'A person can be in {max} organizations.',
    cause: 'This person is in as many as that already.',
    fix: 'Leave one that is not used.',
  },
  SLUICE_MEMBERS_MAX: {
    status: 403,
    title: 'The plan allows {max} members.',
    cause: 'The organization has as many as that already.',
    fix: 'Remove a member who has left, or choose a larger plan.',
  },
  SLUICE_INVITATION_NOT_FOUND: {
    status: 404,
    title: 'There is no such invitation.',
    cause: 'The link is not complete, a newer one was sent, or the invitation has ended.',
    fix: 'Open the link of the last mail, or ask for another invitation.',
  },
  SLUICE_INVITATION_EXISTS: {
    status: 409,
    title: 'This address is invited already.',
    cause: 'An invitation to it has not been answered.',
    fix: 'Send that one again, or revoke it first.',
  },
  SLUICE_INVITATION_USED: {
    status: 410,
    title: 'This invitation was accepted already.',
    cause: 'Its link is good once.',
    fix: 'Sign in: the organization is among yours.',
  },
  SLUICE_INVITATION_REVOKED: {
    status: 410,
    title: 'This invitation was taken back.',
    cause: 'Somebody of the organization revoked it.',
    fix: 'Ask whoever invited you.',
  },
  SLUICE_INVITATION_EXPIRED: {
    status: 410,
    title: 'This invitation has run out.',
    cause: 'It was not accepted in time.',
    fix: 'Ask whoever invited you to send it again.',
  },
  SLUICE_INVITATION_VOID: {
    status: 410,
    title: 'This invitation is void.',
    cause: 'Whoever sent it may no longer give what it offers.',
    fix: 'Ask for an invitation from somebody else of the organization.',
  },
  SLUICE_INVITATION_FOR_ANOTHER: {
    status: 403,
    title: 'This invitation is for another address.',
    cause: 'You are signed in with an address that it was not sent to.',
    fix: 'Sign in, or sign up, with the address that the mail went to.',
  },
  SLUICE_INVITATIONS_MAX: {
    status: 403,
    title: 'An organization can have {max} invitations waiting.',
    cause: 'As many have not been answered.',
    fix: 'Revoke those that nobody will accept.',
  },
  SLUICE_ROLE_NOT_FOUND: {
    status: 404,
    title: 'There is no such role.',
    cause: 'The organization has no custom role with this id.',
    fix: 'List its roles and use an id from there.',
  },
  SLUICE_ROLE_NAME_TAKEN: {
    status: 409,
    title: 'There is a role with this name.',
    cause: 'Another custom role of the organization is called so.',
    fix: 'Choose another name.',
  },
  SLUICE_ROLE_IN_USE: {
    status: 409,
    title: 'The role {name} is in use.',
    cause: 'Members, service accounts or invitations have it.',
    fix: 'Say which role its members get instead, or change their role first.',
  },
  SLUICE_ROLES_MAX: {
    status: 403,
    title: 'An organization can have {max} custom roles.',
    cause: 'It has as many as that.',
    fix: 'Delete one that nobody has.',
  },
  SLUICE_AUTHTOKENS_MAX: {
    status: 403,
    title: 'An organization can have {max} authtokens.',
    cause: 'As many are in use.',
    fix: 'Revoke one that is not used.',
  },
  SLUICE_API_KEYS_MAX: {
    status: 403,
    title: 'An organization can have {max} API keys.',
    cause: 'As many are in use.',
    fix: 'Revoke one that is not used.',
  },
  SLUICE_SERVICE_ACCOUNTS_MAX: {
    status: 403,
    title: 'An organization can have {max} service accounts.',
    cause: 'There are as many.',
    fix: 'Delete one that is not used.',
  },
  // Staff of the platform
  SLUICE_USER_SUSPENDED: {
    status: 403,
    title: 'This account is suspended: {reason}',
    cause: 'Staff of this server has suspended the account.',
    fix: 'Write to the operator of this server.',
  },
  SLUICE_ORGANIZATION_SUSPENDED: {
    status: 403,
    title: 'This organization is suspended: {reason}',
    cause:
      'Staff of this server has suspended it: it serves nobody, and nothing of it can be changed.',
    fix: 'The reason stands in the console above every page of the organization. Write to the operator of this server.',
  },
  SLUICE_HOST_SUSPENDED: {
    status: 403,
    title: '{endpointHost} is suspended.',
    cause: 'The operator of this server has taken this address out of service.',
    fix: 'If it is yours, the reason stands with the tunnel in the console: write to the operator.',
  },
  SLUICE_TUNNEL_SUSPENDED: {
    status: 403,
    title: '{endpointHost} is suspended: {reason}',
    cause: 'The operator of this server has taken this address out of service.',
    fix: 'Write to the operator of this server.',
  },
  SLUICE_SUSPENSION_UNCHANGED: {
    status: 409,
    title: 'Nothing to change.',
    cause: 'It is suspended already, or it is not suspended.',
    fix: 'Load the page again to see how it stands.',
  },
  SLUICE_IMPERSONATION_READ_ONLY: {
    status: 403,
    title: 'You look at this account, and change nothing.',
    cause: 'Staff acts as this user for reading only.',
    fix: 'End it. If something has to be changed, start again, ask for changes, and say why.',
  },
  SLUICE_IMPERSONATION_FORBIDDEN: {
    status: 403,
    title: 'Nobody does this in the place of somebody else.',
    cause:
      'Accounts, members, credentials, payment and exports are changed by customers themselves, and staff is never impersonated.',
    fix: 'Ask the customer to do it, or end the impersonation and act as staff.',
  },

  // Single sign-on
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
  // Tunnels
  SLUICE_TUNNEL_NOT_FOUND: {
    status: 404,
    title: 'There is no such tunnel.',
    cause: 'It does not exist in your organization.',
    fix: 'Run `sluice tunnels` to list them.',
  },
  SLUICE_TUNNEL_NAME_INVALID: {
    status: 400,
    title: '{name} cannot be a tunnel name.',
    cause: 'A name has 1 to 63 characters: a-z, 0-9 and hyphens inside.',
    fix: 'Choose another name.',
  },
  SLUICE_TUNNEL_NAME_RESERVED: {
    status: 409,
    title: 'The name {name} is reserved.',
    cause: 'The operator keeps it for the platform.',
    fix: 'Choose another name.',
  },
  SLUICE_ENDPOINT_HOST_TAKEN: {
    status: 409,
    title: '{endpointHost} is taken.',
    cause: 'A tunnel of another organization has this endpoint host.',
    fix: 'Choose another --name, or start without it to be given a free one.',
  },
  SLUICE_TUNNELS_MAX: {
    status: 403,
    title: 'Your plan allows {max} tunnels.',
    cause: 'The organization has as many tunnels as its plan allows.',
    fix: 'Delete one of them in the console, under Tunnels, or change to a larger plan.',
  },
  SLUICE_RELAY_UNAVAILABLE: {
    status: 503,
    title: 'No relay is ready.',
    cause: 'No relay of the region is registered and healthy.',
    fix: 'Try again in a few seconds; the operator sees the relays at /graphiql.',
  },
  SLUICE_RELAY_NOT_FOUND: {
    status: 404,
    title: 'There is no such relay.',
    cause: 'No relay has registered under this id.',
    fix: 'List the relays at /graphiql with `{ relays { id status } }`.',
  },
  SLUICE_RELAY_KEY_INVALID: {
    status: 401,
    title: 'The relay key is not valid.',
    cause: 'It is not one of the keys the gateway was configured with.',
    fix: 'Set RELAY_KEY on the relay to a key listed in the gateway’s RELAY_KEY_HASHES.',
  },
  SLUICE_REGION_UNKNOWN: {
    status: 400,
    title: 'There is no region {region}.',
    cause: 'No relay serves this region.',
    fix: 'Leave --region out, or choose one of: {regions}.',
  },
  SLUICE_WEBHOOK_ENDPOINT_NOT_FOUND: {
    status: 404,
    title: 'There is no such webhook endpoint.',
    cause: 'The id is wrong, it was deleted, or it belongs to an organization you are not in.',
    fix: 'List the webhook endpoints of the organization and use an id from there.',
  },
  SLUICE_WEBHOOK_DELIVERY_NOT_FOUND: {
    status: 404,
    title: 'There is no such webhook delivery.',
    cause: 'The id is wrong, or it is older than what is kept.',
    fix: 'List the deliveries of the endpoint and use an id from there.',
  },
  SLUICE_WEBHOOK_ENDPOINTS_MAX: {
    status: 409,
    title: 'The organization has {max} webhook endpoints, the most there can be.',
    cause: 'Each event is sent to every endpoint that wants it.',
    fix: 'Delete one that is no longer used, or let one endpoint take more events.',
  },
  SLUICE_WEBHOOKS_OFF: {
    status: 503,
    title: 'This server sends no webhooks.',
    cause: 'Its operator has set no key that would seal their secrets.',
    fix: 'Ask the operator to set WEBHOOK_KEYS.',
  },
  SLUICE_CAPTURED_REQUEST_NOT_FOUND: {
    status: 404,
    title: 'There is no such captured request.',
    cause: 'It does not exist in your organization, or is older than the retention.',
    fix: 'Choose one from the request log.',
  },
  SLUICE_CURSOR_INVALID: {
    status: 400,
    title: 'The cursor is not valid.',
    cause: 'It was changed, or comes from another list.',
    fix: 'Start from the first page.',
  },
  // Domains
  SLUICE_DOMAIN_INVALID: {
    status: 400,
    title: '{domain} is not a domain you can use.',
    cause: 'It is not a fully qualified name, or belongs to this Sluice server.',
    fix: 'Use a name of your own, such as app.example.com.',
  },
  SLUICE_DOMAIN_TAKEN: {
    status: 409,
    title: '{domain} is in use.',
    cause: 'An organization has verified this domain.',
    fix: 'Remove it there first, or use another domain.',
  },
  SLUICE_DOMAIN_NOT_FOUND: {
    status: 404,
    title: 'There is no such domain.',
    cause: 'It does not exist in your organization.',
    fix: 'Choose one from the list of domains.',
  },
  SLUICE_DOMAIN_NOT_VERIFIED: {
    status: 409,
    title: '{domain} is not verified.',
    cause: 'The TXT record {record} does not hold the expected value: {reason}.',
    fix: 'Set the record as shown, wait for DNS to update, and verify again.',
  },
  SLUICE_CERTIFICATE_INVALID: {
    status: 400,
    title: 'This certificate cannot be used for {domain}.',
    cause: 'Chain and key were checked before they were stored: {reason}.',
    fix: 'Give the certificate of the domain first, then those that signed it, and its private key, all as PEM.',
  },
  SLUICE_CERTIFICATES_NOT_KEPT: {
    status: 503,
    title: 'This Sluice server keeps no certificates.',
    cause: 'It has no key to seal private keys with.',
    fix: 'Ask the operator to set CERTIFICATE_KEYS of the domains subgraph.',
  },
  SLUICE_DOMAINS_MAX: {
    status: 403,
    title: 'An organization can have {max} domains.',
    cause: 'The limit is reached.',
    fix: 'Remove one that is not used.',
  },
  // Billing
  SLUICE_PLAN_NOT_FOUND: {
    status: 404,
    title: 'There is no such plan.',
    cause: 'No plan has this id.',
    fix: 'Choose one of the listed plans.',
  },
  // Addresses that a customer names and this server asks
  SLUICE_ADDRESS_INVALID: {
    status: 400,
    title: 'This address cannot be used: {reason}.',
    cause: 'Sluice asks public web addresses only.',
    fix: 'Give a whole address such as https://login.example.com/path.',
  },
  SLUICE_ADDRESS_NOT_PUBLIC: {
    status: 422,
    title: '{host} has no public address.',
    cause: 'The name does not exist, or leads into a private network, where Sluice asks nothing.',
    fix: 'Check the name. A service in your own network needs a public address first.',
  },
  SLUICE_ADDRESS_UNREACHABLE: {
    status: 502,
    title: '{host} cannot be reached: {reason}.',
    cause: 'No whole answer came from there.',
    fix: 'Check that the service runs and can be reached from the internet, then try again.',
  },
  SLUICE_ADDRESS_TIMEOUT: {
    status: 504,
    title: '{host} did not answer within {seconds} seconds.',
    cause: 'The connection or the answer took too long.',
    fix: 'Check the service, then try again.',
  },
  SLUICE_ADDRESS_REDIRECTS: {
    status: 422,
    title: '{host} redirects elsewhere.',
    cause: 'Sluice follows no redirects: where they lead is not what was checked.',
    fix: 'Give the address where the redirect ends.',
  },
  SLUICE_ADDRESS_ANSWER_TOO_LARGE: {
    status: 422,
    title: 'The answer of {host} is larger than {max} bytes.',
    cause: 'What Sluice reads from other servers is bounded.',
    fix: 'Check that the address is the right one.',
  },
  // The graph
  SLUICE_DOCUMENT_UNKNOWN: {
    status: 400,
    title: 'The document is not registered.',
    cause: 'This door accepts persisted documents only, and this one is not among them.',
    fix: 'Reload the page, or update the CLI.',
  },
  SLUICE_DOCUMENT_INVALID: {
    status: 400,
    title: 'The GraphQL document is not valid.',
    cause: 'It does not parse, or does not fit the schema.',
    fix: 'Compare it with the schema.',
  },
  SLUICE_DOCUMENT_TOO_LARGE: {
    status: 400,
    title: 'The GraphQL document is too large: {limit}.',
    cause: 'Documents are bounded in depth, aliases, tokens and bytes.',
    fix: 'Ask for less, or split the query.',
  },
  SLUICE_COST_EXCEEDED: {
    status: 400,
    title: 'The operation costs too much.',
    cause: 'It may cost {requested}, and one operation may cost at most {max}.',
    fix: 'Ask for fewer rows with `first`, or for less below lists, and continue with `after`.',
  },
  SLUICE_API_KEY_NEEDED: {
    status: 403,
    title: 'The public graph is for API keys.',
    cause: 'You came with a credential of another kind.',
    fix: 'Create an API key in the console, and send it as `authorization: Bearer slk_…`.',
  },
  SLUICE_BODY_TOO_LARGE: {
    status: 413,
    title: 'The body of the request is larger than {max} bytes.',
    cause: 'What is sent to an address outside the graph is read as a whole, and bounded.',
    fix: 'Send less at once.',
  },
  SLUICE_ALIAS_SHADOWS_FIELD: {
    status: 400,
    title: 'The alias {alias} has the name of a field.',
    cause: 'An alias may not be the name of a field of the type it stands in.',
    fix: 'Choose another alias.',
  },
  SLUICE_INTROSPECTION_FORBIDDEN: {
    status: 403,
    title: 'Introspection is for the signed-in.',
    cause: 'The request was anonymous.',
    fix: 'Sign in first.',
  },
  SLUICE_REQUEST_UNSAFE: {
    status: 403,
    title: 'The request could come from another site.',
    cause: 'It has no JSON content type, or its Origin is not this console.',
    fix: 'Send `content-type: application/json`.',
  },
  SLUICE_SUBGRAPH_UNAVAILABLE: {
    status: 503,
    title: 'A part of Sluice is not answering.',
    cause: 'The part that holds this data is down or restarting.',
    fix: 'Try again in a moment; the rest keeps working.',
  },
  SLUICE_SUBGRAPH_TIMEOUT: {
    status: 504,
    title: 'A part of Sluice is too slow.',
    cause: 'The part that holds this data did not answer in time.',
    fix: 'Try again in a moment.',
  },
  SLUICE_SUBSCRIPTION_LOST: {
    status: 503,
    title: 'The live stream was cut.',
    cause: 'The part that sends these events restarted.',
    fix: 'Subscribe again; a cursor resumes where it stopped.',
  },
  SLUICE_SUBSCRIPTION_RELOAD: {
    status: 503,
    title: 'The live stream was ended by an update.',
    cause: 'The schema of this server changed.',
    fix: 'Subscribe again.',
  },
  SLUICE_SUBSCRIPTIONS_MAX: {
    status: 429,
    title: 'Too many live streams.',
    cause: 'This connection, or you on all of them, has {max} already.',
    fix: 'End one first.',
  },
  SLUICE_INTERNAL: {
    status: 500,
    title: 'Something went wrong on our side.',
    cause: 'An unexpected failure, logged as {id}.',
    fix: 'Try again; if it stays, send the id to the operator.',
  },
  // The edge: what a visitor meets
  SLUICE_REQUEST_MALFORMED: {
    status: 400,
    title: 'The request is malformed: {reason}.',
    cause: 'It is ambiguous or breaks HTTP, and would be read differently by different servers.',
    fix: 'Correct the program that sent it.',
  },
  SLUICE_REQUEST_HEAD_TOO_LARGE: {
    status: 431,
    title: 'The request head is larger than {max} bytes.',
    cause: 'Request line and headers together are bounded.',
    fix: 'Send fewer or smaller headers; often it is a cookie.',
  },
  SLUICE_REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request did not arrive in time.',
    cause: 'The connection was open, but the headers did not end, or the body hardly moved.',
    fix: 'Send the whole head at once, and the body without long pauses.',
  },
  SLUICE_TUNNEL_UNKNOWN: {
    status: 404,
    title: 'There is no tunnel at {endpointHost}.',
    cause: 'No tunnel has this endpoint host, or it was deleted.',
    fix: 'Check the address. If it is yours, run `sluice http <port> --name <name>`.',
  },
  SLUICE_ROUTE_STALE: {
    status: 421,
    title: '{endpointHost} is not served by this relay any more.',
    cause: 'Another relay brought a request here by an old route. It looks the route up again.',
    fix: 'Nothing: visitors never see this. In logs and metrics, a few while agents move are normal.',
  },
  SLUICE_TLS_MODE_MISMATCH: {
    status: 421,
    title: '{endpointHost} is not served on this listener.',
    cause: 'The tunnel wants another TLS mode, or Host and TLS server name differ.',
    fix: 'Use the exact address the agent printed.',
  },
  SLUICE_TLS_EXPECTED: {
    status: 400,
    title: 'This port speaks HTTPS.',
    cause: 'The request came as plain HTTP to the port for TLS.',
    fix: 'Use https:// in the address, or the port for plain HTTP.',
  },
  SLUICE_VISITOR_CERTIFICATE_REQUIRED: {
    status: 403,
    title: 'This tunnel asks for a client certificate.',
    cause: 'The connection showed none that an authority of the owner has signed.',
    fix: 'Connect over HTTPS with a certificate from the owner; a browser asks for it anew after a restart.',
  },
  SLUICE_BASIC_AUTH_REQUIRED: {
    status: 401,
    title: 'This tunnel asks for a user name and password.',
    cause: 'The owner protects it with basic authentication.',
    fix: 'Ask the owner for both.',
  },
  SLUICE_IP_DENIED: {
    status: 403,
    title: 'Your address may not visit this tunnel.',
    cause: 'The owner allows certain networks only.',
    fix: 'Ask the owner to allow your network.',
  },
  SLUICE_CONNECTIONS_MAX: {
    status: 429,
    title: 'This tunnel is busy.',
    cause: 'It serves as many connections at once as its plan allows.',
    fix: 'Try again in a second.',
  },
  SLUICE_REQUESTS_MAX: {
    status: 429,
    title: 'This tunnel gets too many requests.',
    cause: 'The owner allows {perSecond} requests per second and a burst of {burst}.',
    fix: 'Try again in {retryAfterSeconds} s.',
  },
  SLUICE_WEBHOOK_UNVERIFIED: {
    status: 403,
    title: 'This tunnel takes signed webhooks only.',
    cause: 'The signature is missing or not right.',
    fix: 'Send the webhook from the provider; the owner finds the reason in the log of the relay.',
  },
  SLUICE_WEBHOOK_TOO_LARGE: {
    status: 413,
    title: 'The webhook is larger than {max} bytes.',
    cause: 'The edge holds a webhook until its signature is checked, and holds no more than this.',
    fix: 'Send a smaller one.',
  },
  SLUICE_VISIT_UNCONFIRMED: {
    status: 403,
    title: 'You are about to visit {endpointHost}.',
    cause: 'It is served from somebody’s own machine, and the account behind it is not verified.',
    fix: 'Go on only if you trust who gave you the link. Programs send the header `X-Sluice-Skip-Notice: 1`.',
  },
  SLUICE_TUNNEL_OFFLINE: {
    status: 503,
    title: '{endpointHost} is offline.',
    cause:
      'The tunnel exists, but no agent is connected: it is being restarted, or its owner has stopped it.',
    fix: 'If it is yours, start the agent: `sluice http <port> --name <name>`.',
  },
  SLUICE_RELAY_DRAINING: {
    status: 503,
    title: 'This relay is shutting down.',
    cause: 'It is being restarted and takes no new requests.',
    fix: 'Try again at once; another relay answers.',
  },
  SLUICE_UPSTREAM_REFUSED: {
    status: 502,
    title: 'Nothing answers at {upstream}.',
    cause: 'The agent is connected, but the local service refused the connection: {reason}.',
    fix: 'Start the service, or give the agent the right port.',
  },
  SLUICE_UPSTREAM_INVALID: {
    status: 502,
    title: 'The local service sent an invalid response: {reason}.',
    cause: 'It breaks HTTP, or closed the connection before a whole head was sent.',
    fix: 'Look at the log of the local service.',
  },
  SLUICE_UPSTREAM_TIMEOUT: {
    status: 504,
    title: 'The local service did not answer in time.',
    cause: 'No response head arrived within {seconds} seconds.',
    fix: 'Look at the log of the local service.',
  },
  SLUICE_AGENT_LOST: {
    status: 502,
    title: 'The agent went away during the request.',
    cause: 'Its connection to the relay was cut.',
    fix: 'Send the request again.',
  },
  // Agent sessions
  SLUICE_AGENT_TOKEN_INVALID: {
    status: 401,
    title: 'The relay refused the agent token.',
    cause: 'It has expired, was revoked, or is for another relay.',
    fix: 'The agent asks for a new one by itself; if it stays, run `sluice login`.',
  },
  SLUICE_PROTOCOL_UNSUPPORTED: {
    status: 426,
    title: 'Agent and relay do not speak the same protocol version.',
    cause: 'The relay supports versions {supported}.',
    fix: 'Update the agent.',
  },
  SLUICE_SESSION_REPLACED: {
    status: 409,
    title: 'Another agent took over this tunnel.',
    cause: 'The same owner started the tunnel again elsewhere.',
    fix: 'Stop one of the two, or give it another --name.',
  },
  SLUICE_SESSION_REVOKED: {
    status: 403,
    title: 'The tunnel was stopped.',
    cause: 'It was stopped, deleted or suspended, or the authtoken was revoked.',
    fix: 'Look at the tunnel in the console, then start it again.',
  },
  SLUICE_PORT_TAKEN: {
    status: 409,
    title: 'Port {port} is taken.',
    cause: 'Another tunnel has it, or another program on the relay’s machine listens there.',
    fix: 'Ask for another port, or leave --port out to be given a free one.',
  },
  SLUICE_PORT_OUTSIDE: {
    status: 400,
    title: 'Port {port} is not one that tunnels may have.',
    cause: 'The operator gives tunnels these ports: {ports}.',
    fix: 'Ask for one of them, or leave --port out to be given a free one.',
  },
  SLUICE_PORTS_EXHAUSTED: {
    status: 503,
    title: 'All {protocol} ports are taken.',
    cause: 'Each of the {max} public ports of this server belongs to a tunnel.',
    fix: 'Delete a tunnel that you no longer need, or ask the operator for more ports.',
  },
  SLUICE_TUNNEL_KIND_UNAVAILABLE: {
    status: 403,
    title: 'You may not open {kind} tunnels.',
    cause: 'The plan of the organization has none, or the operator has switched them off.',
    fix: 'Use `sluice http`, or choose a plan that has them.',
  },
  SLUICE_TUNNEL_KIND_MISMATCH: {
    status: 409,
    title: 'The tunnel {name} is one for {kind}.',
    cause: 'A tunnel keeps the kind that it was made with.',
    fix: 'Use another name, or delete the tunnel first.',
  },
  SLUICE_SESSIONS_MAX: {
    status: 503,
    title: 'The relay is full.',
    cause: 'It holds as many agent sessions as it may.',
    fix: 'The agent tries another relay by itself.',
  },
  // The CLI
  SLUICE_NOT_LOGGED_IN: {
    status: 401,
    title: 'There is no authtoken.',
    cause: 'Neither SLUICE_AUTHTOKEN nor the configuration file has one.',
    fix: 'Create one in the console under Authtokens, then run `sluice login`.',
  },
  SLUICE_SERVER_UNREACHABLE: {
    status: 503,
    title: '{server} does not answer.',
    cause: '{reason}',
    fix: 'Check the address (--server or SLUICE_SERVER) and your network.',
  },
  SLUICE_ROUND_TRIP_FAILED: {
    status: 502,
    title: 'The public address does not answer yet.',
    cause: 'The check through {url} failed: {reason}.',
    fix: 'The operator’s DNS or firewall may not let visitors reach the relay.',
  },
  SLUICE_USAGE: {
    status: 400,
    title: '{reason}',
    cause: 'The command line is not valid.',
    fix: 'Run `sluice help {command}` for the options.',
  },
  SLUICE_PROJECT_INVALID: {
    status: 400,
    title: '{file} is not valid.',
    cause: '{reason}',
    fix: 'Correct it, then run `sluice config check`. `sluice config schema` prints what editors check it with.',
  },
  SLUICE_PROJECT_NOT_FOUND: {
    status: 404,
    title: 'There is no project file.',
    cause: 'None of these files exists: {paths}.',
    fix: 'Write a sluice.yml, name one with --config, or run `sluice import` with the file of another tunnel program.',
  },
  SLUICE_PROJECT_TUNNEL_UNKNOWN: {
    status: 404,
    title: '{file} has no tunnel {name}.',
    cause: 'It has: {names}.',
    fix: 'Start one of these, or all of them with `sluice start --all`.',
  },
  SLUICE_TARGET_REFUSED: {
    status: 403,
    title: 'The agent does not forward to {target}.',
    cause: '{reason}',
    fix: 'If this is what you want, name the address: --allow-target {address}.',
  },
  SLUICE_SERVICE_MANAGER_MISSING: {
    status: 501,
    title: 'There is no systemd here.',
    cause: 'The service is a systemd unit, and {reason}.',
    fix: 'Print the unit with `sluice service install --print`, or let your own supervisor run `sluice start --all`.',
  },
  SLUICE_SERVICE_FAILED: {
    status: 500,
    title: 'The service was not changed.',
    cause: '{reason}',
    fix: 'Run the command that failed yourself; a system unit needs root.',
  },
  SLUICE_CHECKS_FAILED: {
    status: 500,
    title: 'Not everything is in order.',
    cause: 'These checks failed: {names}.',
    fix: 'Run the command behind the arrow of each, then `sluice doctor` again.',
  },
  SLUICE_COMMAND_UNKNOWN: {
    status: 400,
    title: '{reason}',
    cause: 'The command line program has no such command.',
    fix: 'Run `sluice help` to list the commands.',
  },
  SLUICE_SERVER_FOREIGN: {
    status: 502,
    title: '{server} is not a Sluice server.',
    cause: 'Something else answers there: {reason}.',
    fix: 'Check the address (--server or SLUICE_SERVER); it is the address of the console.',
  },
  SLUICE_RELAY_UNREACHABLE: {
    status: 503,
    title: 'The relay does not answer.',
    cause: 'No session with {relay} within {seconds} seconds: {reason}.',
    fix: 'Check that your network lets this machine open WebSockets to the relay.',
  },
  SLUICE_CONFIG_NOT_READ: {
    status: 500,
    title: 'The configuration file could not be read.',
    cause: '{path}: {reason}.',
    fix: 'Make the file readable for you, or remove it and run `sluice login`.',
  },
  SLUICE_CONFIG_NOT_SAVED: {
    status: 500,
    title: 'The configuration file could not be written.',
    cause: '{path}: {reason}.',
    fix: 'Make the folder writable for you, or set SLUICE_AUTHTOKEN instead.',
  },
  SLUICE_COMMAND_FAILED: {
    status: 500,
    title: 'The command failed in an unexpected way.',
    cause: '{reason}',
    fix: 'Run it again with SLUICE_DEBUG=1 and send the output to the operator.',
  },
  // The console
  SLUICE_GATEWAY_UNREACHABLE: {
    status: 503,
    title: 'Sluice does not answer.',
    cause: 'The console could not reach its server: {reason}',
    fix: 'Check your network. If others have the same trouble, tell the operator of this server.',
  },
  SLUICE_PASSKEY_NOT_USED: {
    status: 400,
    title: 'No passkey was used.',
    cause: '{reason}',
    fix: 'Try again, or use another way.',
  },
  SLUICE_PAGE_FAILED: {
    status: 500,
    title: 'This page stopped working.',
    cause: 'The console met something it did not expect: {reason}',
    fix: 'Reload the page. If it happens again, report it with this code.',
  },
} as const satisfies Record<`SLUICE_${string}`, Entry>

export type ErrorCode = keyof typeof errors
export type Details = Readonly<Record<string, string | number | boolean>>

/** Where each code has its page; the code is appended. */
export const docsUrl = 'https://docs.sluice.dev/errors/'

/** An expected failure. All of it but `cause` is shown to people: no SQL, no addresses, no ids of others. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError'
  readonly code: ErrorCode
  readonly details: Details

  constructor(code: ErrorCode, details: Details = {}, options?: ErrorOptions) {
    super(fill(errors[code].title, details), options)
    this.code = code
    this.details = details
  }
}

/** The failure as a problem body (RFC 9457). The error page and the agent's screen print the same fields. */
export function problemOf({ code, message, details }: SluiceError) {
  const { status, cause, fix } = errors[code]
  return {
    ...details,
    type: docsUrl + code,
    code,
    status,
    title: message,
    detail: fill(cause, details),
    fix: fill(fix, details),
  }
}

export type Problem = ReturnType<typeof problemOf>

/** Whether a code that came over a wire is one of the catalogue. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errors, code)
}

function fill(text: string, details: Details): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole))
}
