import type { EntityManager } from '@sluice/kit/database'
import { recordEvent } from '@sluice/kit/outbox'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { assertProved } from '../account/assert-proved.ts'
import { recordAct } from '../audit/audit.ts'
import { becomePrincipal, type Context } from '../context.ts'
import { recordRevocations } from '../revocation/revocation-list.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { Member } from './member.entity.ts'
import { announceMembership, assignRole, freshMember, type Act } from './membership.ts'
import { Organization } from './organization.entity.ts'
import { lockAsActor, personOf } from './organization.ts'

/** Calls an organization something else. Its slug stays, so that addresses do. */
export async function renameOrganization(
  context: Context,
  organizationId: string,
  nameText: string,
): Promise<Organization> {
  const { principal, visitorIp: ip, now } = context
  const actorId = personOf(context)
  assertMay(principal, organizationId, 'organization.update')
  const name = nameOf(nameText, 'the name of the organization')
  return context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'organization.update')
    const organization = await freshOrganization(em, organizationId)
    if (organization.name === name) return organization
    const details = `${organization.name} to ${name}`
    organization.name = name
    const target = { type: 'organization', id: organizationId } as const
    recordAct(em, {
      action: 'organization.renamed',
      actor: actor.user,
      organizationId,
      target,
      details,
      ip,
      at: now(),
    })
    await em.flush()
    return organization
  })
}

/** Makes a member the owner in place of whoever asks, who stays as admin. Asks for a proof that it is really them. */
export async function transferOwnership(context: Context, memberId: string): Promise<Organization> {
  const { visitorIp: ip, revocations, now } = context
  const actorId = personOf(context)
  const found = isUuid(memberId) ? await context.em.findOne(Member, { id: memberId }) : null
  if (!found) throw new SluiceError('SLUICE_MEMBER_NOT_FOUND')
  const { organizationId } = found
  assertMay(context.principal, organizationId, 'organization.delete')
  if (found.userId === actorId) throw inputInvalid('you are an owner already')
  await assertProved(context)

  const { organization, changed } = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'organization.delete')
    const heir = await freshMember(em, memberId)
    const giver = await em.findOneOrFail(Member, { organizationId, userId: actorId })
    const { email } = await em.findOneOrFail(User, { id: heir.userId })
    const act = { actor: actor.user, ip, at: now() }
    recordAct(em, {
      action: 'organization.transferred',
      organizationId,
      target: { type: 'organization', id: organizationId },
      details: `to ${email}`,
      ...act,
    })
    // In this order there is an owner at every moment.
    await assignRole(em, heir, { role: 'OWNER' }, act)
    await assignRole(em, giver, { role: 'ADMIN' }, act)
    return { organization: await freshOrganization(em, organizationId), changed: [heir, giver] }
  })
  for (const member of changed) await announceMembership(revocations, member)
  return organization
}

/**
 * Deletes an organization with everything in it, for an owner who types its slug and proves that it is really them. What
 * acts for it is revoked at once everywhere; the other subgraphs end what they hold when they hear of it. Its audit stays.
 */
export async function deleteOrganization(
  context: Context,
  organizationId: string,
  slugText: string,
): Promise<string> {
  const { principal, visitorIp: ip, revocations, now } = context
  const actorId = personOf(context)
  assertMay(principal, organizationId, 'organization.delete')
  await assertProved(context)

  await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'organization.delete')
    const organization = await freshOrganization(em, organizationId)
    if (slugText.trim() !== organization.slug)
      throw inputInvalid('this is not the slug of the organization')
    await dissolveOrganization(em, organization, { actor: actor.user, ip, at: now() })
  })
  context.wakeOutbox()
  await revocations.publish('organization', organizationId)
  const memberships = principal.memberships.filter((one) => one.organizationId !== organizationId)
  becomePrincipal(context, { ...principal, memberships })
  return organizationId
}

/**
 * Part of the caller's transaction, for whom it is locked, and who publishes the revocation after the commit. Throws
 * SLUICE_ORGANIZATION_SUSPENDED: what staff has to look into does not go away by itself.
 */
export async function dissolveOrganization(
  em: EntityManager,
  { id: organizationId, name, slug, suspendedAt, suspensionReason }: Organization,
  { actor, ip, at }: Act,
): Promise<void> {
  if (suspendedAt) {
    throw new SluiceError('SLUICE_ORGANIZATION_SUSPENDED', { reason: suspensionReason ?? '' })
  }
  recordAct(em, {
    action: 'organization.deleted',
    actor,
    organizationId,
    target: { type: 'organization', id: organizationId },
    details: `${name} (${slug})`,
    ip,
    at,
  })
  recordEvent(em, 'organization.deleted', `organization:${organizationId}`, { organizationId })
  recordRevocations(em, 'organization', [organizationId], { at, reason: 'disabled' })
  await em.flush()
  // Takes members, roles, invitations and credentials with it.
  await em.nativeDelete(Organization, { id: organizationId })
}

async function freshOrganization(em: EntityManager, id: string): Promise<Organization> {
  const organization = await em.findOne(Organization, { id }, { refresh: true })
  if (!organization) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  return organization
}
