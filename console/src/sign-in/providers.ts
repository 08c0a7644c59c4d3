import type { SocialProvider } from '../gql/graphql.ts'

export const providerNames: Readonly<Record<SocialProvider, string>> = {
  GOOGLE: 'Google',
  GITHUB: 'GitHub',
}

/** Leaves the console for the page of a provider, which sends the browser back. */
export function leaveFor(address: string): void {
  location.assign(address)
}
