import { forkSystem } from '@sluice/kit/database'
import { addressOf, networkOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'

/** Sign-ins that say where somebody usually is. */
const signInsLookedAtMax = 50
const nobody = '00000000-0000-0000-0000-000000000000'

/**
 * Counts an attempt to sign in by account, address and network. What others do elsewhere keeps nobody out: an account
 * under attack, and a network that guesses, stay open to whoever has signed in to that account from there before.
 */
export async function countSignIn(
  context: Context,
  email: string,
  userId: string | null,
): Promise<void> {
  const { attempts, blocks, visitorIp } = context
  const address = addressOf(visitorIp)
  await attempts.countAll([
    [attemptLimits.signInByIp, address],
    [attemptLimits.signInByNetwork, networkOf(visitorIp)],
    [attemptLimits.signInByEmailAndIp, `${email} ${address}`],
  ])
  const retryAfterSeconds = Math.max(
    await attempts.waitSeconds([[attemptLimits.signInByEmail, email]]),
    await blocks.waitSeconds(visitorIp),
  )
  // Asked for an unknown email too, so that the answer takes no less time.
  if (retryAfterSeconds === 0 || (await isKnownNetwork(context, userId ?? nobody))) return
  throw new SluiceError('SLUICE_RATE_LIMITED', { retryAfterSeconds })
}

/** Refuses what only newcomers do while their network is blocked. */
export async function assertNotBlocked({ blocks, visitorIp }: Context): Promise<void> {
  const retryAfterSeconds = await blocks.waitSeconds(visitorIp)
  if (retryAfterSeconds > 0) throw new SluiceError('SLUICE_RATE_LIMITED', { retryAfterSeconds })
}

/** Whether this user has signed in from the visitor’s network before. */
export async function isKnownNetwork(
  { orm, visitorIp }: Pick<Context, 'orm' | 'visitorIp'>,
  userId: string,
): Promise<boolean> {
  const network = networkOf(visitorIp)
  const signIns = await forkSystem(orm).find(
    SignIn,
    { userId },
    { fields: ['ip', 'lastIp'], orderBy: { refreshedAt: 'desc' }, limit: signInsLookedAtMax },
  )
  return signIns.some(
    ({ ip, lastIp }) => networkOf(ip) === network || networkOf(lastIp) === network,
  )
}

/** From so many failures on, a network is worth a look. */
const failuresSeenMin = 5

/** Counts a wrong password or code against the network that it came from. */
export async function countFailure(
  { blocks, anomalies, visitorIp: ip }: Pick<Context, 'blocks' | 'anomalies' | 'visitorIp'>,
  userId: string | null,
): Promise<void> {
  const { network, failures, blockedMs } = await blocks.failed(ip)
  if (failures >= failuresSeenMin) {
    anomalies.report({ kind: 'sign-in-failures', subject: network, ip, organizationId: null })
    if (userId) anomalies.report({ kind: 'sign-in-failures', subject: network, ip, userId })
  }
  if (blockedMs === 0) return
  const details = `for ${Math.round(blockedMs / 60_000)} minutes`
  anomalies.report({ kind: 'network-blocked', subject: network, ip, details, organizationId: null })
}
