import type { EntityManager } from '@sluice/kit/database'
import type { ActorKind, EventPayload } from '@sluice/schema/events'

import { ApiKey } from '../api-key/api-key.entity.ts'
import { Authtoken } from '../authtoken/authtoken.entity.ts'
import { ServiceAccount } from '../service-account/service-account.entity.ts'
import { User } from '../user/user.entity.ts'
import { AuditEntry } from './audit-entry.entity.ts'

type Actor = EventPayload<'act.recorded'>['actor']

const nameCharactersMax = 100

/** Appends what another subgraph has told. The id is the event's, so that a second delivery changes nothing. */
export async function appendAct(
  em: EntityManager,
  { organizationId, action, actor, target, details, ip, at }: EventPayload<'act.recorded'>,
  { id }: { id: string },
): Promise<void> {
  const name = await nameOf(em, actor)
  em.create(AuditEntry, {
    id,
    organizationId,
    action,
    // Of a later release it may be a kind that is not known here yet: it is kept as it was told.
    actorKind: actor.kind as ActorKind,
    actorId: actor.id,
    actorName: name.slice(0, nameCharactersMax).toWellFormed(),
    targetType: target.type,
    targetId: target.id,
    details,
    ip,
    at: new Date(at),
  })
}

/** The name of whoever did it: of a credential its own, and its person's. */
async function nameOf(em: EntityManager, actor: Actor): Promise<string> {
  const { kind, id, userId, staffId } = actor
  if (kind === 'system') return 'Sluice'
  const user = userId ? await em.findOne(User, { id: userId }) : null
  if (staffId) {
    const staff = await em.findOne(User, { id: staffId })
    return `staff ${staff?.name ?? ''} as ${user?.name ?? ''}`
  }
  const credential = id ? await credentialOf(em, kind, id) : null
  if (credential) return user ? `${credential.name} (${user.name})` : credential.name
  return user?.name ?? kind
}

async function credentialOf(em: EntityManager, kind: string, id: string) {
  if (kind === 'authtoken') return em.findOne(Authtoken, { id })
  if (kind === 'api-key') return em.findOne(ApiKey, { id })
  if (kind === 'service-account') return em.findOne(ServiceAccount, { id })
  return null
}
