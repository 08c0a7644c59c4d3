import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { recordEvent } from '@sluice/kit/outbox'
import { assertMay, may } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { type AuthtokenScope, authtokenScopes } from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { hashOf, newCredential, shownPrefixOf } from '../credential/credential.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { Authtoken } from './authtoken.entity.ts'

const authtokensMax = 200

/** The authtokens of an organization, newest first, revoked ones too. For its members. */
export async function authtokenPage(
  { em, principal }: Context,
  organizationId: string,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<Authtoken>> {
  assertMay(principal, organizationId, 'authtokens.read')
  return pageOf(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    (rows, after) =>
      em.find(
        Authtoken,
        { organizationId, ...afterKeyset('createdAt', after) },
        { orderBy: { createdAt: 'desc', id: 'desc' }, limit: rows },
      ),
  )
}

/** Makes an authtoken that acts for whoever asks. The secret is in the answer and nowhere else. */
export async function createAuthtoken(
  context: Context,
  organizationId: string,
  nameText: string,
  scopes: readonly AuthtokenScope[] = authtokenScopes,
): Promise<{ authtoken: Authtoken; secret: string }> {
  const { principal, attempts, visitorIp, now } = context
  const userId = personOf(context)
  assertMay(principal, organizationId, 'authtokens.create')
  const name = nameOf(nameText, 'the name')
  if (scopes.length === 0) throw inputInvalid('an authtoken needs a scope')
  await attempts.count(attemptLimits.createByUser, userId)

  const secret = newCredential('authtoken')
  const authtoken = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, userId, 'authtokens.create')
    if ((await em.count(Authtoken, { organizationId, revokedAt: null })) >= authtokensMax) {
      throw new SluiceError('SLUICE_AUTHTOKENS_MAX', { max: authtokensMax })
    }
    const id = crypto.randomUUID()
    const created = em.create(Authtoken, {
      id,
      organizationId,
      name,
      prefix: shownPrefixOf(secret),
      secretHash: hashOf(secret),
      scopes: authtokenScopes.filter((scope) => scopes.includes(scope)),
      createdAt: now(),
      createdBy: userId,
      lastUsedAt: null,
      lastUsedIp: null,
      revokedAt: null,
    })
    em.persist(created)
    recordAct(em, {
      action: 'authtoken.created',
      actor: actor.user,
      organizationId,
      target: { type: 'authtoken', id },
      details: `${name} (${created.scopes.join(', ')})`,
      ip: visitorIp,
      at: now(),
    })
    await em.flush()
    return created
  })
  return { authtoken, secret }
}

/** Ends an authtoken at once, everywhere. For whoever made it, and for owners and admins. */
export async function revokeAuthtoken(context: Context, id: string): Promise<Authtoken> {
  const { em, principal, visitorIp, revocations, now } = context
  const userId = personOf(context)
  const found = isUuid(id) ? await em.findOne(Authtoken, { id }) : null
  if (!found) throw new SluiceError('SLUICE_AUTHTOKEN_NOT_FOUND')
  if (found.createdBy !== userId && !may(principal, found.organizationId, 'authtokens.manage')) {
    throw new SluiceError('SLUICE_FORBIDDEN')
  }

  const revoked = await em.transactional(async (inside) => {
    const actor = await inside.findOneOrFail(User, { id: userId })
    return revokeAuthtokens(inside, [found], { actor, ip: visitorIp, at: now() })
  })
  context.wakeOutbox()
  for (const one of revoked) await revocations.publish('authtoken', one)
  return em.findOneOrFail(Authtoken, { id }, { refresh: true })
}

/** Relays look back no further than agent tokens can live. */
const lookBackMsMax = 2 * 86_400_000
const revokedMax = 10_000

/** Authtokens revoked since then, the latest first: what a relay has missed of the announcements. For relay keys only. */
export async function listRevokedAuthtokens(
  { principal, orm, now }: Context,
  since: Date,
): Promise<{ id: string; at: Date }[]> {
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  const oldest = new Date(Math.max(since.getTime(), now().getTime() - lookBackMsMax))
  // A relay serves every organization.
  const found = await forkSystem(orm).find(
    Authtoken,
    { revokedAt: { $gte: oldest } },
    { orderBy: { revokedAt: 'desc' }, limit: revokedMax },
  )
  return found.flatMap(({ id, revokedAt }) => (revokedAt ? [{ id, at: revokedAt }] : []))
}

interface Act {
  actor: Pick<User, 'id' | 'name'> | null
  ip: string
  at: Date
}

/** Revokes what a member made in an organization that they leave. Returns the ids. Part of the caller's transaction. */
export async function revokeAuthtokensOf(
  em: EntityManager,
  { organizationId, userId, ...act }: Act & { organizationId: string; userId: string },
): Promise<string[]> {
  const found = await em.find(Authtoken, { organizationId, createdBy: userId, revokedAt: null })
  return revokeAuthtokens(em, found, act)
}

/** Of two that revoke one authtoken at once, one finds it: it is audited and told once. */
async function revokeAuthtokens(
  em: EntityManager,
  authtokens: readonly Authtoken[],
  { actor, ip, at }: Act,
): Promise<string[]> {
  const revoked: string[] = []
  for (const { id, name, organizationId } of authtokens) {
    const changed = await em.nativeUpdate(Authtoken, { id, revokedAt: null }, { revokedAt: at })
    if (changed === 0) continue
    revoked.push(id)
    const target = { type: 'authtoken', id } as const
    recordAct(em, {
      action: 'authtoken.revoked',
      actor,
      organizationId,
      target,
      details: name,
      ip,
      at,
    })
    recordEvent(em, 'authtoken.revoked', `authtoken:${id}`, { organizationId, authtokenId: id })
  }
  return revoked
}
