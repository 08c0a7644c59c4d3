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
  context: Context,
  em: EntityManager,
  userId: string,
): Promise<void> {
  const { anomalies, visitorIp: ip } = context
  const before = await signInsOf(em, userId)
  const [last] = before
  if (!last || isKnownNetwork(before, ip)) return
  if (reportTravel(context, userId, last)) return
  anomalies.report({ kind: 'new-network', userId, subject: networkOf(ip), ip })
}

/**
 * The same for a sign-in that goes on, whose token may have been copied: only what nobody can have travelled is reported, for
 * the networks of phones change all day. Called before the refresh is stored; reports once it was, by what it answers. Costs a
 * look at one row, and nothing where places are not known.
 */
export async function watchRefresh(
  context: Context,
  em: EntityManager,
  signInId: string,
): Promise<() => void> {
  const nothing = () => undefined
  const { placeOf, visitorIp: ip } = context
  if (!placeOf(ip)) return nothing
  const last = await em.findOne(SignIn, { id: signInId }, { fields: [...placed, 'userId'] })
  if (!last || isKnownNetwork([last], ip)) return nothing
  if (isKnownNetwork(await signInsOf(em, last.userId), ip)) return nothing
  const { userId, lastIp, refreshedAt } = last
  return () => void reportTravel(context, userId, { lastIp, refreshedAt })
}

const placed = ['ip', 'lastIp', 'refreshedAt'] as const

function signInsOf(em: EntityManager, userId: string) {
  const orderBy = { refreshedAt: 'desc' } as const
  return em.find(SignIn, { userId }, { fields: placed, orderBy, limit: signInsLookedAtMax })
}

function isKnownNetwork(before: readonly Pick<SignIn, 'ip' | 'lastIp'>[], ip: string): boolean {
  const network = networkOf(ip)
  return before.some((one) => [one.ip, one.lastIp].some((known) => networkOf(known) === network))
}

/** Reports somebody who was elsewhere lately, farther away than anybody can have travelled. */
function reportTravel(
  { anomalies, placeOf, visitorIp: ip, now }: Context,
  userId: string,
  { lastIp, refreshedAt }: Pick<SignIn, 'lastIp' | 'refreshedAt'>,
): boolean {
  const [here, there] = [placeOf(ip), placeOf(lastIp)]
  if (!here || !there) return false
  const hours = Math.max(1, (now().getTime() - refreshedAt.getTime()) / hourMs)
  const apartKm = distanceKm(here, there)
  if (apartKm < distanceKmMin || apartKm / hours <= speedKmhMax) return false
  const details = `${Math.round(apartKm)} km from ${there.country || 'the last place'} to ${here.country || 'here'} in ${Math.round(hours)} h`
  anomalies.report({ kind: 'impossible-travel', userId, subject: networkOf(ip), ip, details })
  return true
}
