import { forkSystem } from '@sluice/kit/database'
import { isForgery } from '@sluice/kit/forgeries'
import type { Principal } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import { z } from 'zod'

import { reportForgery } from '../anomaly/hear-forgeries.ts'
import type { Deps } from '../context.ts'
import { noteArrival } from '../sign-in/refresh-sign-in.ts'
import { principalOfImpersonation } from '../staff/impersonation.ts'
import { authenticateApiKey, authenticateAuthtoken } from './authenticate-machine.ts'
import { principalOfSignIn } from './principal-of.ts'

const credentialCharactersMax = 4_096

/** What the gateway asks with. */
export const AuthenticateRequest = z.object({
  credential: z.object({
    kind: z.enum(['sign-in', 'authtoken', 'api-key']),
    token: z.string().max(credentialCharactersMax),
  }),
  ip: z.string().max(64),
})
export type AuthenticateRequest = z.infer<typeof AuthenticateRequest>

export interface Authenticated {
  principal: Principal
  /** ISO time from which the credential is void by itself; null when it never is. */
  expiresAt: string | null
}

type AuthenticateDeps = Pick<Deps, 'orm' | 'accessTokens' | 'now' | 'seeCredential' | 'anomalies'>

/** Says who holds a credential that came from an address. Throws SLUICE_UNAUTHENTICATED, or the code of its kind, for nobody. */
export function authenticate(
  deps: AuthenticateDeps,
  { credential, ip }: AuthenticateRequest,
): Promise<Authenticated> {
  const { kind, token } = credential
  if (kind === 'authtoken') return authenticateAuthtoken(deps, token, ip)
  return kind === 'api-key'
    ? authenticateApiKey(deps, token, ip)
    : authenticateSignIn(deps, token, ip)
}

async function authenticateSignIn(
  { orm, accessTokens, now, anomalies }: AuthenticateDeps,
  token: string,
  ip: string,
): Promise<Authenticated> {
  const accessToken = await accessTokens.verify(token).catch((error: unknown) => {
    if (isForgery(error)) reportForgery(anomalies, { part: 'gateway', forged: 'access token', ip })
    throw error
  })
  const em = forkSystem(orm)
  const principal =
    (await principalOfSignIn(em, accessToken, now())) ??
    (await principalOfImpersonation(em, accessToken, now()))
  if (!principal) throw new SluiceError('SLUICE_UNAUTHENTICATED')
  await noteArrival(em, accessToken, now())
  return { principal, expiresAt: accessToken.expiresAt.toISOString() }
}
