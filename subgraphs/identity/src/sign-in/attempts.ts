import type { AttemptLimit } from '@sluice/kit/attempts'

/** Every field of a request counts, so aliases and batches buy nothing. */
export const attemptLimits = {
  signInByEmailAndIp: { name: 'sign-in-email', attemptsMax: 10, windowMs: 15 * 60_000 },
  /** The whole account, from wherever: only networks that it was never used from are kept out. */
  signInByEmail: { name: 'sign-in-account', attemptsMax: 50, windowMs: 60 * 60_000 },
  signInByNetwork: { name: 'sign-in-network', attemptsMax: 400, windowMs: 15 * 60_000 },
  signInByIp: { name: 'sign-in', attemptsMax: 100, windowMs: 15 * 60_000 },
  signUpByNetwork: { name: 'sign-up-network', attemptsMax: 200, windowMs: 60 * 60_000 },
  signUpByIp: { name: 'sign-up', attemptsMax: 20, windowMs: 60 * 60_000 },
  passkeyByIp: { name: 'passkey', attemptsMax: 100, windowMs: 15 * 60_000 },
  socialByIp: { name: 'social', attemptsMax: 60, windowMs: 15 * 60_000 },
  /** A whole company may come from one address: nothing is guessed there, but it starts outgoing requests. */
  ssoByIp: { name: 'sso', attemptsMax: 2_000, windowMs: 15 * 60_000 },
  /** Each may ask a server that the organization names. */
  ssoSettingsByUser: { name: 'sso-settings', attemptsMax: 60, windowMs: 60 * 60_000 },
  refreshRefusedByIp: { name: 'refresh', attemptsMax: 60, windowMs: 10 * 60_000 },
  inviteByUser: { name: 'invite', attemptsMax: 60, windowMs: 60 * 60_000 },
  /** Counted per organization, so that nobody keeps others from inviting an address. */
  inviteByEmail: { name: 'invite-email', attemptsMax: 10, windowMs: 24 * 60 * 60_000 },
  mailByUser: { name: 'mail', attemptsMax: 5, windowMs: 60 * 60_000 },
  mailLinkByIp: { name: 'mail-link', attemptsMax: 60, windowMs: 15 * 60_000 },
  resetByIp: { name: 'reset', attemptsMax: 20, windowMs: 60 * 60_000 },
  /** Counted for every address, so that it tells of none. */
  resetByEmail: { name: 'reset-email', attemptsMax: 5, windowMs: 60 * 60_000 },
  passwordByUser: { name: 'password', attemptsMax: 10, windowMs: 15 * 60_000 },
  codeByUser: { name: 'code', attemptsMax: 10, windowMs: 15 * 60_000 },
  /** From networks that the user signed in from before, so that guesses from elsewhere do not keep them out. */
  codeByUserAndNetwork: { name: 'code-network', attemptsMax: 10, windowMs: 15 * 60_000 },
  /** Scanners report many at once; nobody guesses 190 bits. */
  revokeByIp: { name: 'revoke', attemptsMax: 600, windowMs: 15 * 60_000 },
  createByUser: { name: 'create', attemptsMax: 60, windowMs: 60 * 60_000 },
  /** A first sync of thousands of people is a request for each. */
  scimByOrganization: { name: 'scim', attemptsMax: 3_000, windowMs: 60_000 },
} as const satisfies Record<string, AttemptLimit>
