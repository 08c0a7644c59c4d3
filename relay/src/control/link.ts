import type { Session } from '@sluice/wire'

import type { TunnelSession } from '../sessions.ts'

/** One agent's connection, from its first byte on. */
export interface Link {
  readonly session: Session
  /** Where it came from. */
  readonly ip: string
  tunnel: TunnelSession | undefined
  expiry: NodeJS.Timeout | undefined
  /** Its agent token has expired, and could not be renewed. */
  inGrace: boolean
  /** Ended by us or by its agent, on purpose: nothing to take up again. */
  over: boolean
}

/** One that has shown no agent token yet. */
export function newLink(session: Session, ip = ''): Link {
  return { session, ip, tunnel: undefined, expiry: undefined, inGrace: false, over: false }
}
