import type { EntityManager } from '@sluice/kit/database'
import { networkOf } from '@sluice/kit/network'

import type { Context } from '../context.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { distanceKm } from './places.ts'

const hourMs = 60 * 60_000
/** Faster than an airliner. */
const speedKmhMax = 1_000
/** Mobile networks and VPNs move people this far while they sit still. */
const distanceKmMin = 500
/** Earlier sign-ins that say where somebody usually is. */
const signInsLookedAtMax = 50

/** Compares where somebody signs in with where they were before. Called before the sign-in is stored. */
export async function watchSignIn(
  { anomalies, placeOf, visitorIp: ip, now }: Context,
  em: EntityManager,
  userId: string,
): Promise<void> {
  const before = await em.find(
    SignIn,
    { userId },
    {
      fields: ['ip', 'lastIp', 'refreshedAt'],
      orderBy: { refreshedAt: 'desc' },
      limit: signInsLookedAtMax,
    },
  )
  const [last] = before
  if (!last) return
  const network = networkOf(ip)
  if (before.some((one) => [one.ip, one.lastIp].some((known) => networkOf(known) === network))) {
    return
  }
  const [here, there] = [placeOf(ip), placeOf(last.lastIp)]
  const hours = Math.max(1, (now().getTime() - last.refreshedAt.getTime()) / hourMs)
  const apartKm = here && there ? distanceKm(here, there) : 0
  if (here && there && apartKm >= distanceKmMin && apartKm / hours > speedKmhMax) {
    const details = `${Math.round(apartKm)} km from ${there.country || 'the last place'} to ${here.country || 'here'} in ${Math.round(hours)} h`
    anomalies.report({ kind: 'impossible-travel', userId, subject: network, ip, details })
    return
  }
  anomalies.report({ kind: 'new-network', userId, subject: network, ip })
}
