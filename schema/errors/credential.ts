import type { Catalogue } from './catalogue.ts'

export const credentialErrors = {
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
    title: 'It cannot be rotated or changed any more.',
    cause: 'It was revoked, has expired, or has been rotated already.',
    fix: 'Create a new one.',
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
} as const satisfies Catalogue
