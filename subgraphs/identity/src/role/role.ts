import {
  ForeignKeyConstraintViolationException,
  UniqueConstraintViolationException,
} from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import {
  covers,
  namesOf,
  type Permission,
  permissionNames,
  type PermissionSet,
  permissionSet,
} from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { Invitation } from '../invitation/invitation.entity.ts'
import { Member } from '../organization/member.entity.ts'
import { announceMembership, assignRole } from '../organization/membership.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { CustomRole } from './custom-role.entity.ts'
import { lookUpRole, type RoleGiven } from './held-permissions.ts'

export const customRolesMax = 50
const nameCharactersMax = 60
const descriptionCharactersMax = 200
const detailsCharactersMax = 500

/** What nobody does by a custom role: an organization belongs to its owners. */
const forOwnersOnly: readonly Permission[] = ['organization.delete']

/** The permissions that a custom role can have. */
export const customRolePermissions: readonly Permission[] = permissionNames.filter(
  (name) => !forOwnersOnly.includes(name),
)

/** The custom roles of an organization by name. For those who see its members. */
export async function findRoles(
  { em, principal }: Context,
  organizationId: string,
): Promise<CustomRole[]> {
  assertMay(principal, organizationId, 'members.read')
  return em.find(CustomRole, { organizationId }, { orderBy: { name: 'asc', id: 'asc' } })
}

export interface RoleInput {
  name: string
  description: string
  permissions: readonly string[]
}

/** Makes a custom role of permissions that whoever asks holds. */
export async function createRole(
  context: Context,
  organizationId: string,
  input: RoleInput,
): Promise<CustomRole> {
  const { principal, visitorIp: ip, now } = context
  const actorId = personOf(context)
  assertMay(principal, organizationId, 'roles.manage')
  const wanted = parseRole(input)

  return context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'roles.manage')
    assertCovers(actor.permissions, wanted.permissions)
    if ((await em.count(CustomRole, { organizationId })) >= customRolesMax) {
      throw new SluiceError('SLUICE_ROLES_MAX', { max: customRolesMax })
    }
    const id = crypto.randomUUID()
    const at = now()
    const role = em.create(CustomRole, {
      id,
      organizationId,
      ...wanted,
      createdAt: at,
      updatedAt: at,
    })
    em.persist(role)
    recordAct(em, {
      action: 'role.created',
      actor: actor.user,
      organizationId,
      target: { type: 'role', id },
      details: cut(`${role.name}: ${namesOf(role.permissions).join(', ') || 'nothing'}`),
      ip,
      at,
    })
    await uniquelyNamed(() => em.flush())
    return role
  })
}

/**
 * Changes a custom role, for whoever holds what it names before and after. Members who have it may do the new at once:
 * gateways ask again, and end what was opened with a permission that is gone.
 */
export async function updateRole(
  context: Context,
  roleId: string,
  input: RoleInput,
): Promise<CustomRole> {
  const { visitorIp: ip, revocations, now } = context
  const actorId = personOf(context)
  const { organizationId } = await findRole(context, roleId)
  const wanted = parseRole(input)

  const { role, concerned } = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'roles.manage')
    const found = await freshRole(em, roleId)
    assertCovers(actor.permissions, found.permissions | wanted.permissions)
    const details = changesOf(found, wanted)
    if (details === '') return { role: found, concerned: [] }
    const isOther = found.permissions !== wanted.permissions
    Object.assign(found, wanted, { updatedAt: now() })
    recordAct(em, {
      action: 'role.changed',
      actor: actor.user,
      organizationId,
      target: { type: 'role', id: roleId },
      details: cut(details),
      ip,
      at: now(),
    })
    await uniquelyNamed(() => em.flush())
    return { role: found, concerned: isOther ? await holdersOf(em, roleId) : [] }
  })
  for (const member of concerned) await announceMembership(revocations, member)
  return role
}

/** Deletes a custom role. Whoever has it gets `instead`; without one a role in use stays. */
export async function deleteRole(
  context: Context,
  roleId: string,
  instead: RoleGiven | null,
): Promise<string> {
  const { visitorIp: ip, revocations, now } = context
  const actorId = personOf(context)
  const { organizationId } = await findRole(context, roleId)
  if (instead?.customRoleId === roleId) throw inputInvalid('the role cannot replace itself')

  const holders = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'roles.manage')
    const role = await freshRole(em, roleId)
    assertCovers(actor.permissions, role.permissions)
    const members = await holdersOf(em, roleId)
    const invited = { customRoleId: roleId, acceptedAt: null, revokedAt: null }
    const act = { actor: actor.user, ip, at: now() }
    if (members.length > 0 || (await em.count(Invitation, invited)) > 0) {
      if (!instead) throw new SluiceError('SLUICE_ROLE_IN_USE', { name: role.name })
      assertCovers(actor.permissions, (await lookUpRole(em, organizationId, instead)).permissions)
      for (const member of members) await assignRole(em, member, instead, act)
      await em.nativeUpdate(Invitation, invited, instead)
    }
    // Those that were answered need it no longer.
    await em.nativeUpdate(Invitation, { customRoleId: roleId }, { customRoleId: null })
    recordAct(em, {
      action: 'role.deleted',
      organizationId,
      target: { type: 'role', id: roleId },
      details: role.name,
      ...act,
    })
    em.remove(role)
    await nowhereInUse(role, () => em.flush())
    return members
  })
  for (const member of holders) await announceMembership(revocations, member)
  return roleId
}

/** Finds a custom role of the principal's organizations. Another's counts as missing. */
async function findRole({ em }: Context, id: string): Promise<CustomRole> {
  const role = isUuid(id) ? await em.findOne(CustomRole, { id }) : null
  if (!role) throw new SluiceError('SLUICE_ROLE_NOT_FOUND')
  return role
}

async function freshRole(em: EntityManager, id: string): Promise<CustomRole> {
  const role = await em.findOne(CustomRole, { id }, { refresh: true })
  if (!role) throw new SluiceError('SLUICE_ROLE_NOT_FOUND')
  return role
}

function holdersOf(em: EntityManager, roleId: string): Promise<Member[]> {
  return em.find(Member, { customRoleId: roleId }, { refresh: true })
}

function parseRole({ name, description, permissions }: RoleInput) {
  const text = description.trim()
  return {
    name: nameOf(name, 'the name of the role', nameCharactersMax),
    description: text === '' ? '' : nameOf(text, 'the description', descriptionCharactersMax),
    permissions: permissionSet(permissions.map(permissionOf)),
  }
}

function permissionOf(name: string): Permission {
  const found = customRolePermissions.find((one) => one === name)
  if (found) return found
  const isKnown = permissionNames.some((one) => one === name)
  throw inputInvalid(
    isKnown ? `${name} is for owners only` : `there is no permission ${name.slice(0, 64)}`,
  )
}

/** Nobody gives, or takes, what they do not hold. */
function assertCovers(held: PermissionSet, given: PermissionSet): void {
  if (!covers(held, given)) throw new SluiceError('SLUICE_FORBIDDEN')
}

function changesOf(before: CustomRole, after: ReturnType<typeof parseRole>): string {
  const gained = namesOf(after.permissions & ~before.permissions).map((name) => `+${name}`)
  const lost = namesOf(before.permissions & ~after.permissions).map((name) => `-${name}`)
  const isRenamed = before.name !== after.name
  if (gained.length + lost.length === 0 && !isRenamed && before.description === after.description) {
    return ''
  }
  return `${before.name}${isRenamed ? ` to ${after.name}` : ''}: ${[...gained, ...lost].join(', ') || 'description'}`
}

function cut(details: string): string {
  return details.length <= detailsCharactersMax
    ? details
    : `${details.slice(0, detailsCharactersMax - 1)}…`
}

async function uniquelyNamed(change: () => Promise<void>): Promise<void> {
  try {
    await change()
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) {
      throw new SluiceError('SLUICE_ROLE_NAME_TAKEN', {}, { cause: error })
    }
    throw error
  }
}

/** Service accounts and invitations hold roles, too. */
async function nowhereInUse({ name }: CustomRole, change: () => Promise<void>): Promise<void> {
  try {
    await change()
  } catch (error) {
    if (error instanceof ForeignKeyConstraintViolationException) {
      throw new SluiceError('SLUICE_ROLE_IN_USE', { name }, { cause: error })
    }
    throw error
  }
}
