import type { Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import type { Redis } from 'ioredis'

import {
  createNetworkBlocks,
  type NetworkBlocks,
  type NetworkBlocksOptions,
} from '../abuse/network-blocks.ts'
import { createAlerts, type AlertOptions } from './alerts.ts'
import { openAnomalies, type Anomalies } from './anomalies.ts'
import { createCredentialNetworks, type SeeCredential } from './credential-networks.ts'
import { openPlaces, type Places } from './places.ts'

export interface WatchOptions {
  readonly blocks: NetworkBlocksOptions
  /** A webhook of the operator’s for severe anomalies. */
  readonly alerts: AlertOptions | null
  /** A MaxMind database (MMDB) of cities; without it nothing is known of places. */
  readonly geoipPath: string | null
}

/** What everything works with unless the operator says otherwise. */
export const defaultWatch: WatchOptions = {
  blocks: { failuresMax: 50, windowMs: 15 * 60_000 },
  alerts: null,
  geoipPath: null,
}

/** What is looked out for, and who is kept out for it. */
export interface Watch extends Places {
  readonly blocks: NetworkBlocks
  readonly anomalies: Anomalies
  readonly seeCredential: SeeCredential
}

export async function openWatch(
  options: WatchOptions,
  deps: { orm: Orm; redis: Redis; now: () => Date; log: Log; wakeMail: () => void },
): Promise<Watch & { close(): Promise<void> }> {
  const { redis, log } = deps
  const places = await openPlaces(options.geoipPath)
  const alerts = createAlerts(redis, options.alerts, deps)
  const anomalies = openAnomalies({ ...deps, onSevere: (anomaly) => alerts.send(anomaly) })
  return {
    ...places,
    anomalies,
    seeCredential: createCredentialNetworks(redis, anomalies),
    blocks: createNetworkBlocks(redis, log, options.blocks),
    async close() {
      await anomalies.close()
      await alerts.close()
    },
  }
}
