import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { recordEvent } from '@sluice/kit/outbox'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { recordAct, type AuditAction } from '../audit/audit.ts'
import { Authtoken } from '../authtoken/authtoken.entity.ts'
import type { Context } from '../context.ts'
import { recordMail } from '../mail/mail.ts'
import { Member } from '../organization/member.entity.ts'
import { Organization } from '../organization/organization.entity.ts'
import { recordRevocations } from '../revocation/revocation-list.ts'
import { User } from '../user/user.entity.ts'
import { reasonOf, staffOf } from './staff.ts'

/** Keeps a user out, with everything that acts for them, until it is lifted. They are told the reason when they sign in. */
export async function suspendUser(
  context: Context,
  userId: string,
  reasonText: string,
): Promise<User> {
  const { orm, revocations, now } = context
  const staffId = staffOf(context)
  const reason = reasonOf(reasonText)
  // Whoever locks themselves out cannot undo it.
  if (userId === staffId) throw new SluiceError('SLUICE_FORBIDDEN')
  const at = now()
  const { user, authtokenIds } = await forkSystem(orm).transactional(async (em) => {
    const found = await changeUser(em, userId, { suspendedAt: at, suspensionReason: reason })
    const authtokens = await em.find(Authtoken, { createdBy: found.id, revokedAt: null })
    const ids = authtokens.map(({ id }) => id)
    recordRevocations(em, 'user', [found.id], { at, reason: 'disabled' })
    recordRevocations(em, 'authtoken', ids, { at, reason: 'disabled' })
    await recordAboutUser(context, em, found, 'user.suspended', reason)
    const mail = { kind: 'user-suspended', address: found.email, userId: found.id } as const
    recordMail(em, { ...mail, ip: '', at })
    await em.flush()
    return { user: found, authtokenIds: ids }
  })
  context.wakeOutbox()
  await revocations.publish('user', user.id)
  for (const id of authtokenIds) await revocations.publish('authtoken', id)
  context.wakeMail()
  return user
}

/** Lets a user in again. */
export async function unsuspendUser(context: Context, userId: string): Promise<User> {
  staffOf(context)
  const user = await forkSystem(context.orm).transactional(async (em) => {
    const found = await changeUser(em, userId, { suspendedAt: null, suspensionReason: null })
    await recordAboutUser(context, em, found, 'user.unsuspended')
    await em.flush()
    return found
  })
  context.wakeOutbox()
  return user
}

/** Closes an organization: its streams end, its credentials open nothing, and its members see why. */
export async function suspendOrganization(
  context: Context,
  organizationId: string,
  reasonText: string,
): Promise<Organization> {
  const { orm, revocations, now } = context
  staffOf(context)
  const reason = reasonOf(reasonText)
  const at = now()
  const organization = await forkSystem(orm).transactional(async (em) => {
    const change = { suspendedAt: at, suspensionReason: reason }
    const found = await changeOrganization(em, organizationId, change)
    recordRevocations(em, 'organization', [found.id], { at, reason: 'disabled' })
    await recordAboutOrganization(context, em, found, 'organization.suspended', reason)
    for (const { id, email: address } of await ownersOf(em, found.id)) {
      const about = { aboutOrganizationId: found.id, userId: id, ip: '', at }
      recordMail(em, { kind: 'organization-suspended', address, ...about })
    }
    await em.flush()
    return found
  })
  context.wakeOutbox()
  await revocations.publish('organization', organization.id)
  context.wakeMail()
  return organization
}

/** Opens an organization again. Agents come back when they are started. */
export async function unsuspendOrganization(
  context: Context,
  organizationId: string,
): Promise<Organization> {
  const { orm, revocations, now } = context
  staffOf(context)
  const organization = await forkSystem(orm).transactional(async (em) => {
    const change = { suspendedAt: null, suspensionReason: null }
    const found = await changeOrganization(em, organizationId, change)
    await recordAboutOrganization(context, em, found, 'organization.unsuspended')
    await em.flush()
    return found
  })
  context.wakeOutbox()
  const { id } = organization
  const lifted = { kind: 'organization', id, at: now().toISOString(), lifted: true } as const
  // Who does not hear it has the rights back within seconds all the same.
  await revocations.announce(lifted).catch(() => undefined)
  return organization
}

/** Throws SLUICE_USER_SUSPENDED with the reason. For whoever has shown already that it is their account. */
export function assertNotSuspended({ suspendedAt, suspensionReason }: User): void {
  if (!suspendedAt) return
  throw new SluiceError('SLUICE_USER_SUSPENDED', { reason: suspensionReason ?? '' })
}

interface Suspension {
  suspendedAt: Date | null
  suspensionReason: string | null
}

/** The row decides: of two members of staff who do the same at once, one does. */
async function changeUser(em: EntityManager, id: string, change: Suspension): Promise<User> {
  const before = change.suspendedAt ? null : { $ne: null }
  const changed = isUuid(id) ? await em.nativeUpdate(User, { id, suspendedAt: before }, change) : 0
  const user = isUuid(id) ? await em.findOne(User, { id }) : null
  if (!user) throw new SluiceError('SLUICE_USER_NOT_FOUND')
  if (changed === 0) throw new SluiceError('SLUICE_SUSPENSION_UNCHANGED')
  const suspendedAt = change.suspendedAt?.toISOString() ?? null
  recordEvent(em, 'user.suspension-changed', `user:${user.id}`, { userId: user.id, suspendedAt })
  return user
}

async function changeOrganization(
  em: EntityManager,
  id: string,
  change: Suspension,
): Promise<Organization> {
  const before = change.suspendedAt ? null : { $ne: null }
  const changed = isUuid(id)
    ? await em.nativeUpdate(Organization, { id, suspendedAt: before }, change)
    : 0
  const organization = isUuid(id) ? await em.findOne(Organization, { id }) : null
  if (!organization) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  if (changed === 0) throw new SluiceError('SLUICE_SUSPENSION_UNCHANGED')
  const organizationId = organization.id
  recordEvent(em, 'organization.suspension-changed', `organization:${organizationId}`, {
    organizationId,
    suspendedAt: change.suspendedAt?.toISOString() ?? null,
  })
  return organization
}

async function ownersOf(em: EntityManager, organizationId: string): Promise<User[]> {
  const owners = await em.find(Member, { organizationId, role: 'OWNER' })
  return em.find(User, { id: { $in: owners.map(({ userId }) => userId) } })
}

async function recordAboutUser(
  context: Context,
  em: EntityManager,
  { id, name }: User,
  action: AuditAction,
  reason?: string,
): Promise<void> {
  const { visitorIp: ip, now } = context
  const actor = await em.findOneOrFail(User, { id: staffOf(context) })
  const members = await em.find(Member, { userId: id })
  const organizationIds = members.map((member) => member.organizationId)
  const details = (reason ? `${name}: ${reason}` : name).slice(0, 500)
  for (const organizationId of organizationIds.length > 0 ? organizationIds : [null]) {
    recordAct(em, {
      action,
      actor,
      organizationId,
      target: { type: 'user', id },
      details,
      ip,
      at: now(),
    })
  }
}

async function recordAboutOrganization(
  context: Context,
  em: EntityManager,
  { id }: Organization,
  action: AuditAction,
  details?: string,
): Promise<void> {
  const { visitorIp: ip, now } = context
  const actor = await em.findOneOrFail(User, { id: staffOf(context) })
  const target = { type: 'organization', id } as const
  const why = details === undefined ? {} : { details }
  recordAct(em, { action, actor, organizationId: id, target, ...why, ip, at: now() })
}
