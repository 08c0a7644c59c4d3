import type { Catalogue } from './catalogue.ts'

export const consoleErrors = {
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
} as const satisfies Catalogue
