import type { ActAction, ActorKind } from '@sluice/schema/events'

import type { EntityManager } from './database.ts'
import { recordEvent } from './outbox.ts'
import type { Principal } from './principal.ts'

/** Who did it. Names are looked up by identity, which knows them. */
export interface Actor {
  readonly kind: ActorKind
  /** Of the user or the credential. */
  readonly id: string | null
  /** The person behind a credential. */
  readonly userId: string | null
  /** The member of staff who acts in their place. */
  readonly staffId?: string
}

/** The platform itself: a job, or what follows from an event. */
export const system: Actor = { kind: 'system', id: null, userId: null }

export interface Act {
  readonly action: ActAction
  readonly actor: Actor
  /** Null for what concerns no organization. */
  readonly organizationId: string | null
  readonly target: { readonly type: string; readonly id: string }
  /** What changed, in words. Never a secret, and nothing that a visitor has sent. */
  readonly details?: string | undefined
  /** The address it came from; none for the platform itself. */
  readonly ip?: string | undefined
  readonly at: Date
}

const detailsCharactersMax = 500
const ipCharactersMax = 64

/**
 * Tells the audit what was done, in the transaction that does it: identity appends the entry, once, after the commit. Subgraphs
 * other than identity call this.
 */
export function recordAct(em: EntityManager, act: Act): void {
  const { action, actor, organizationId, target, details, ip, at } = act
  recordEvent(em, 'act.recorded', `${target.type}:${target.id}`, {
    organizationId,
    action,
    actor,
    target,
    details: details?.slice(0, detailsCharactersMax).toWellFormed() ?? null,
    ip: ip?.slice(0, ipCharactersMax) || null,
    at: at.toISOString(),
  })
}

/** Who asks, for the audit. */
export function actorOf({ kind, id, userId, impersonatedBy }: Principal): Actor {
  // The id of a relay key is no uuid, and there is nothing to look up.
  if (kind === 'relay') return { kind, id: null, userId: null }
  if (kind === 'anonymous' || kind === 'gateway') return system
  return { kind, id, userId, ...(impersonatedBy ? { staffId: impersonatedBy.userId } : {}) }
}
