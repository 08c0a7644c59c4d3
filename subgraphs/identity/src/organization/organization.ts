import { randomInt } from 'node:crypto'

import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { recordEvent } from '@sluice/kit/outbox'
import { SluiceError } from '@sluice/schema/errors'
import {
  hasPermission,
  type Permission,
  type PermissionSet,
  rolePermissions,
} from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import { membershipsMax } from '../authenticate/principal-of.ts'
import { becomePrincipal, type Context } from '../context.ts'
import { lookUpRole } from '../role/held-permissions.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { assertOwnSignIn } from '../sign-in/own-sign-in.ts'
import { nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { Member } from './member.entity.ts'
import { Organization } from './organization.entity.ts'

/** Makes an organization that whoever asks owns. */
export async function createOrganization(
  context: Context,
  nameText: string,
): Promise<Organization> {
  const { orm, attempts, visitorIp, revocations, now } = context
  const userId = personOf(context)
  await assertOwnSignIn(context)
  const name = nameOf(nameText, 'the name of the organization')
  await attempts.count(attemptLimits.createByUser, userId)

  const organization = await forkSystem(orm).transactional(async (em) => {
    const user = await em.findOneOrFail(User, { id: userId })
    return addOrganization(em, name, user, visitorIp, now())
  })
  context.wakeOutbox()
  await revocations.publish('membership', `${organization.id}:${userId}`)
  const { principal } = context
  becomePrincipal(context, {
    ...principal,
    memberships: [
      ...principal.memberships,
      { organizationId: organization.id, role: 'OWNER', permissions: rolePermissions.OWNER },
    ],
  })
  return organization
}

/** Adds an organization with its first owner, and tells the other subgraphs. Part of the caller's transaction. */
export async function addOrganization(
  em: EntityManager,
  name: string,
  owner: User,
  ip: string,
  at: Date,
): Promise<Organization> {
  await assertMayJoinOneMore(em, owner.id)
  const id = await insertOrganization(em, name, at)
  em.persist(
    em.create(Member, {
      organizationId: id,
      userId: owner.id,
      role: 'OWNER',
      customRoleId: null,
      joinedAt: at,
    }),
  )
  recordAct(em, {
    action: 'organization.created',
    actor: owner,
    organizationId: id,
    target: { type: 'organization', id },
    details: name,
    ip,
    at,
  })
  recordEvent(em, 'organization.created', `organization:${id}`, {
    organizationId: id,
    name,
    createdBy: owner.id,
  })
  await em.flush()
  return em.findOneOrFail(Organization, { id })
}

/** The user's row is locked, so that two that add them at once count one after the other. */
export async function assertMayJoinOneMore(em: EntityManager, userId: string): Promise<void> {
  await em.execute(`select 1 from "identity"."user" where id = ? for no key update`, [userId])
  const memberships = await em.count(Member, { userId }, { filters: false })
  if (memberships >= membershipsMax) {
    throw new SluiceError('SLUICE_MEMBERSHIPS_MAX', { max: membershipsMax })
  }
}

/**
 * Changes inside an organization that must not overtake each other wait here, and each looks again whether its actor still
 * may: the principal was decided before the wait.
 */
export async function lockAsActor(
  em: EntityManager,
  organizationId: string,
  userId: string,
  permission: Permission | null,
): Promise<{ permissions: PermissionSet; user: User }> {
  await lockOrganization(em, organizationId)
  const member = await em.findOne(Member, { organizationId, userId }, { refresh: true })
  if (!member) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  const { permissions: held } = await lookUpRole(em, organizationId, member)
  if (permission && !hasPermission(held, permission)) throw new SluiceError('SLUICE_FORBIDDEN')
  return { permissions: held, user: await em.findOneOrFail(User, { id: userId }) }
}

/** Makes other changes inside the organization wait until this transaction ends. */
export async function lockOrganization(em: EntityManager, organizationId: string): Promise<void> {
  await em.execute(`select 1 from "identity"."organization" where id = ? for no key update`, [
    organizationId,
  ])
}

/** The id of the person who asks. An authtoken acts for a person, but is not one. */
export function personOf({ principal }: Context): string {
  // Accounts, members and credentials are changed by customers themselves.
  if (principal.impersonatedBy) throw new SluiceError('SLUICE_IMPERSONATION_FORBIDDEN')
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  if (principal.kind !== 'user' || principal.userId === null) {
    throw new SluiceError('SLUICE_FORBIDDEN')
  }
  return principal.userId
}

/** One in 1.6 million that a name in use meets a slug in use again, and then once more. */
const slugTriesMax = 5

async function insertOrganization(em: EntityManager, name: string, at: Date): Promise<string> {
  const base = slugOf(name)
  for (let tried = 0; tried < slugTriesMax; tried += 1) {
    const id = crypto.randomUUID()
    const slug =
      tried === 0
        ? base
        : `${base}-${randomInt(36 ** 4)
            .toString(36)
            .padStart(4, '0')}`
    // Skips a slug in use instead of failing, which would end the transaction.
    const rows = await em.execute<unknown[]>(
      `insert into "identity"."organization" (id, name, slug, created_at) values (?, ?, ?, ?)
       on conflict (slug) do nothing returning id`,
      [id, name, slug, at],
    )
    if (rows.length > 0) return id
  }
  throw new SluiceError('SLUICE_ORGANIZATION_SLUG_TAKEN', { slug: base })
}

const slugCharactersMax = 40

function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\u0300-\u036F’']/g, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, slugCharactersMax)
    .replaceAll(/^-+|-+$/g, '')
  return slug || 'organization'
}
