import { openRegistration, type Registration } from '../registration.ts'
import type { RelayOptions } from '../relay-options.ts'
import type { Sessions } from '../sessions.ts'
import { revocationKeptMs, type Agents } from './agents.ts'
import type { Outage } from './outage.ts'
import { openRevocationList } from './revocation-list.ts'

interface ControlPlaneParts {
  readonly sessions: Sessions
  readonly agents: Agents
  readonly outage: Outage
  /** Visitor connections now. */
  readonly connections: () => number
}

/** What a relay says to the control plane, and what it hears. */
export interface ControlPlaneLink extends Registration {
  /** Announcements of revocations may have been missed. */
  readRevocations(): void
}

/** Registers the relay, if it is to be known at all, and does what the answers say. */
export function linkControlPlane(
  options: RelayOptions,
  { sessions, agents, outage, connections }: ControlPlaneParts,
): ControlPlaneLink | undefined {
  const { registration, pool = 'default', connectionsMax: capacity, log } = options
  if (!registration) return undefined
  const lookBackMs = revocationKeptMs + options.outageMs
  const revocations = openRevocationList({ ...registration, agents, lookBackMs, log })
  const link = openRegistration({
    ...options,
    ...registration,
    pool,
    capacity,
    sessions,
    connections,
    onAttempt(answered) {
      if (!answered) outage.began()
      else if (outage.away) {
        outage.ended()
        agents.controlPlaneAnswered()
      }
    },
    onRegistered: () => revocations.read(),
    onDrainOrdered: registration.onDrainOrdered ?? (() => undefined),
    onReplaced: (sessionIds) => agents.endReplaced(sessionIds),
  })
  return {
    drain: () => link.drain(),
    readRevocations: () => revocations.read(),
    close() {
      link.close()
      revocations.close()
    },
  }
}
