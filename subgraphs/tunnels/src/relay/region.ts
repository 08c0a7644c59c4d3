import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { relayStatus } from './relay.ts'

export interface Region {
  id: string
  name: string
  available: boolean
}

/** Names for people; an operator's own region is called by its id. */
const regionNames: Readonly<Record<string, string>> = {
  local: 'This machine',
  eu: 'Europe',
  us: 'United States',
  ap: 'Asia Pacific',
  sa: 'South America',
  af: 'Africa',
}

/** The regions of all relays ever registered, so that one whose relays are down shows as such. */
export async function listRegions({ principal, load, parts }: Context): Promise<Region[]> {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const now = parts.now()
  const byRegion = Map.groupBy(await load.relays(), ({ region }) => region)
  return Array.from(byRegion, ([id, relays]) => ({
    id,
    name: regionNames[id] ?? id,
    available: relays.some((relay) => relayStatus(relay, now) === 'READY'),
  })).toSorted((a, b) => a.id.localeCompare(b.id))
}
