import type { AttemptLimit } from '@sluice/kit/attempts'
import { networkOf } from '@sluice/kit/network'

import type { Context } from '../context.ts'

const hourMs = 60 * 60_000

/** Generous: fleets start again together after a release. A loop that starts for ever ends here. */
const limits = {
  startByOrganization: { name: 'tunnel-start', attemptsMax: 6_000, windowMs: hourMs / 6 },
  createByOrganization: { name: 'tunnel-create', attemptsMax: 1_200, windowMs: hourMs },
  /** Names are made to be thrown away where accounts are: from one place, and in many organizations. */
  createByNetwork: { name: 'tunnel-create-network', attemptsMax: 2_400, windowMs: hourMs },
} as const satisfies Record<string, AttemptLimit>

/** Throws SLUICE_RATE_LIMITED for an organization that starts tunnels without end. */
export async function countStart({ parts }: Context, organizationId: string): Promise<void> {
  await parts.attempts.count(limits.startByOrganization, organizationId)
}

/** The same for those that are made: by organization, and by the network that asks. */
export async function countCreation(
  { parts, visitorIp }: Context,
  organizationId: string,
): Promise<void> {
  await parts.attempts.countAll([
    [limits.createByOrganization, organizationId],
    ...(visitorIp === '' ? [] : ([[limits.createByNetwork, networkOf(visitorIp)]] as const)),
  ])
}
