import type { Catalogue } from './catalogue.ts'

export const domainErrors = {
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
} as const satisfies Catalogue
