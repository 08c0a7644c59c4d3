/** Who passkeys are for: they answer this origin alone, and those that were made here are offered nowhere else. */
export interface RelyingParty {
  readonly rpID: string
  readonly origin: string
}

export function relyingPartyOf(consoleOrigin: string): RelyingParty {
  const { hostname, origin } = new URL(consoleOrigin)
  return { rpID: hostname, origin }
}
