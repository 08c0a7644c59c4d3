import type { AuthtokenScope } from '../gql/graphql.ts'

/** What an authtoken may be used for, in words. */
export const scopes = {
  TUNNELS_START: { label: 'Start tunnels', may: 'An agent needs it.' },
  TUNNELS_READ: { label: 'Read tunnels', may: 'For sluice tunnels and sluice status.' },
  REQUESTS_READ: { label: 'Read requests', may: 'For sluice logs.' },
} as const satisfies Record<AuthtokenScope, { label: string; may: string }>

export const allScopes: readonly AuthtokenScope[] = [
  'TUNNELS_START',
  'TUNNELS_READ',
  'REQUESTS_READ',
]

export function isScope(value: string): value is AuthtokenScope {
  return Object.hasOwn(scopes, value)
}

/** The line that logs the CLI in. The authtoken goes in by stdin: an argument would show it to every process. */
export function loginCommand(secret: string, server: string): string {
  return `echo ${secret} | sluice login --server ${server}`
}
