import { openRegistration, type Registration } from '../registration.ts'
import type { RelayOptions } from '../relay-options.ts'
import type { Sessions } from '../sessions.ts'
import type { SuspendedHosts } from '../suspended-hosts.ts'
import type { Agents } from './agents.ts'
import type { Outage } from './outage.ts'
import { openRevocationList } from './revocation-list.ts'
import { revocationKeptMs } from './revoked.ts'
import { openSuspendedHostList } from './suspended-host-list.ts'

interface ControlPlaneParts {
  readonly sessions: Sessions
  readonly agents: Agents
  readonly outage: Outage
  readonly suspendedHosts: SuspendedHosts
  /** Visitor connections now. */
  readonly connections: () => number
  /** Whether announcements cannot be heard at the moment. */
  readonly isDeaf: () => boolean
}

/** What a relay says to the control plane, and what it hears. */
export interface ControlPlaneLink extends Registration {
  /** Announcements of revocations may have been missed. */
  readRevocations(): void
  /** The hosts of those who are suspended have become others. */
  readSuspensions(): void
}

/** Registers the relay, if it is to be known at all, and does what the answers say. */
export function linkControlPlane(
  options: RelayOptions,
  { sessions, agents, outage, suspendedHosts, connections, isDeaf }: ControlPlaneParts,
): ControlPlaneLink | undefined {
  const { registration, pool = 'default', connectionsMax: capacity, log } = options
  if (!registration) return undefined
  const lookBackMs = revocationKeptMs + options.outageMs
  const revocations = openRevocationList({ ...registration, agents, lookBackMs, isDeaf, log })
  const suspensions = openSuspendedHostList({
    ...registration,
    hosts: suspendedHosts,
    onRead: () => agents.endSuspended(),
    log,
  })
  const readAll = () => {
    revocations.read()
    suspensions.read()
  }
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
    onRegistered: readAll,
    onDrainOrdered: registration.onDrainOrdered ?? (() => undefined),
    onReplaced: (sessionIds) => agents.endReplaced(sessionIds),
  })
  return {
    drain: () => link.drain(),
    othersReady: () => link.othersReady(),
    readRevocations: readAll,
    readSuspensions: () => suspensions.read(),
    close() {
      link.close()
      revocations.close()
      suspensions.close()
    },
  }
}
