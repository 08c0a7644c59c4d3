import type { Catalogue } from './catalogue.ts'

export const staffErrors = {
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
    fix: 'If it is yours, sign in to the console: the reason stands there. Then write to the operator.',
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
} as const satisfies Catalogue
