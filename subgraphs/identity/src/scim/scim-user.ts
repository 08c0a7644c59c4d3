import { isDeepStrictEqual } from 'node:util'

import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'

import { recordAct, type AuditAction } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { Member } from '../organization/member.entity.ts'
import { admitMember, announceMembership, dismissMember } from '../organization/membership.ts'
import { lockOrganization } from '../organization/organization.ts'
import { User } from '../user/user.entity.ts'
import { accountFor, nameIn, ownsDomainOf } from './account.ts'
import { noteDeparture } from './departure.ts'
import { etagOf, type Etags } from './etag.ts'
import { leastRole, rolesByGroups } from './group-roles.ts'
import { userMissing } from './read-users.ts'
import { assertBounded, type Data } from './resource.ts'
import { actorOf, type Call } from './scim-call.ts'
import { invalidValue, ScimError } from './scim-error.ts'
import { ScimUser } from './scim-user.entity.ts'

/** As many people as one organization can have provisioned, active or not. */
const scimUsersMax = 50_000
const idCharactersMax = 320

export async function createUser(call: Call, resource: Data): Promise<string> {
  const { organizationId, ip, deps } = call
  const { userName, externalId, data } = columnsOf(resource)
  const at = deps.now()
  const id = crypto.randomUUID()

  const outcome = await call.em.transactional(async (em) => {
    await lockOrganization(em, organizationId)
    if ((await em.count(ScimUser, { organizationId })) >= scimUsersMax) {
      throw new ScimError(403, `An organization has at most ${scimUsersMax} people by SCIM.`)
    }
    await assertNameFree(em, organizationId, userName)
    const { user, isNew } = await accountFor(em, call, resource)
    const scimUser = em.create(ScimUser, {
      id,
      organizationId,
      userId: user.id,
      userName,
      externalId,
      data,
      madeAccount: isNew,
      suspendedAt: null,
      suspendedRole: null,
      suspendedCustomRoleId: null,
      version: 1,
      createdAt: at,
      changedAt: at,
    })
    em.persist(scimUser)
    recordAct(em, {
      action: 'scim-user.created',
      actor: actorOf(call),
      organizationId,
      target: { type: 'scim-user', id },
      details: `${userName} (${user.email})`,
      ip,
      at,
    })
    await uniquely(() => em.flush())
    const { id: userId } = user
    // Somebody who came in otherwise, and is not to be in.
    if (resource['active'] === false) return { userId, revoked: await suspend(em, call, scimUser) }
    const given = { ...leastRole, actor: actorOf(call), ip, at }
    const { isNew: isAdded } = await admitMember(em, { organizationId, userId, ...given })
    return isAdded ? { userId, revoked: [] } : null
  })
  await announce(call, outcome)
  return id
}

/** Changes a person: `change` gets what the provider has written of them, and answers what it shall be. */
export async function changeUser(
  call: Call,
  id: string,
  etags: Etags,
  change: (resource: Data) => Data,
): Promise<void> {
  const { organizationId, deps } = call
  const outcome = await call.em.transactional(async (em) => {
    const { scimUser, member } = await lockUser(em, call, id)
    const isActive = member !== null
    etags.assertMatch(etagOf(scimUser.version, isActive))
    const before = resourceOf(scimUser, isActive)
    const after = { active: isActive, ...change(structuredClone(before)) }
    const { userName, externalId, data } = columnsOf(after)
    if (isDeepStrictEqual(before, after)) return null

    if (userName.toLowerCase() !== scimUser.userName.toLowerCase()) {
      await assertNameFree(em, organizationId, userName)
    }
    Object.assign(scimUser, { userName, externalId, data })
    scimUser.version += 1
    scimUser.changedAt = deps.now()
    await followName(em, call, scimUser, before, after)
    act(em, call, 'scim-user.changed', scimUser, namesChanged(before, after))
    await uniquely(() => em.flush())
    if (after['active'] === isActive) return null
    const revoked = after['active']
      ? await activate(em, call, scimUser)
      : await suspend(em, call, scimUser)
    return { userId: scimUser.userId, revoked }
  })
  await announce(call, outcome)
}

/** Takes the membership and forgets the person; their account is theirs and stays. */
export async function deleteUser(call: Call, id: string, etags: Etags): Promise<void> {
  const outcome = await call.em.transactional(async (em) => {
    const { scimUser, member } = await lockUser(em, call, id)
    etags.assertMatch(etagOf(scimUser.version, member !== null))
    const revoked = await suspend(em, call, scimUser)
    act(em, call, 'scim-user.deleted', scimUser, '')
    em.remove(scimUser)
    await noteDeparture(em, scimUser, call.deps.now())
    await em.flush()
    return member && { userId: scimUser.userId, revoked }
  })
  await announce(call, outcome)
}

/** How many people the provider has sent. For those who look after single sign-on. */
export async function countPeople(
  { em, principal }: Context,
  organizationId: string,
): Promise<number> {
  assertMay(principal, organizationId, 'sso.manage')
  return em.count(ScimUser, { organizationId })
}

async function lockUser(
  em: EntityManager,
  { organizationId }: Call,
  id: string,
): Promise<{ scimUser: ScimUser; member: Member | null }> {
  await lockOrganization(em, organizationId)
  const found = isUuid(id) ? await em.findOne(ScimUser, { id, organizationId }) : null
  if (!found) throw userMissing()
  const { userId } = found
  return { scimUser: found, member: await em.findOne(Member, { organizationId, userId }) }
}

/**
 * Gives the membership back. One that the provider has not taken itself was ended by the person, or by somebody here: only an
 * organization that has proved their address may undo that.
 */
async function activate(em: EntityManager, call: Call, scimUser: ScimUser): Promise<string[]> {
  const { organizationId, ip, deps } = call
  const { id, userId, suspendedAt, suspendedRole, suspendedCustomRoleId } = scimUser
  const { email } = await em.findOneOrFail(User, { id: userId })
  if (!suspendedAt && !(await ownsDomainOf(em, organizationId, email))) {
    throw new ScimError(
      403,
      'They left, or were removed in Sluice. Invite them there, or verify the domain of their address.',
    )
  }
  const byGroups = (await rolesByGroups(em, organizationId, [id])).get(userId)
  const before = suspendedRole && { role: suspendedRole, customRoleId: suspendedCustomRoleId }
  const given = byGroups ?? before ?? leastRole
  Object.assign(scimUser, { suspendedAt: null, suspendedRole: null, suspendedCustomRoleId: null })
  await admitMember(em, {
    ...given,
    organizationId,
    userId,
    actor: actorOf(call),
    ip,
    at: deps.now(),
  })
  return []
}

async function suspend(em: EntityManager, call: Call, scimUser: ScimUser): Promise<string[]> {
  const { organizationId, ip, deps } = call
  const member = await em.findOne(Member, { organizationId, userId: scimUser.userId })
  if (!member) return []
  if (member.role === 'OWNER') {
    throw new ScimError(
      403,
      'They own the organization. Owners are never removed by SCIM: give the ownership to somebody else in Sluice first.',
    )
  }
  scimUser.suspendedAt = deps.now()
  scimUser.suspendedRole = member.role
  scimUser.suspendedCustomRoleId = member.customRoleId ?? null
  return dismissMember(em, member, { actor: actorOf(call), ip, at: deps.now() })
}

/** The name of an account follows the provider while the organization has made it and nobody else sees it. */
async function followName(
  em: EntityManager,
  { organizationId, deps }: Call,
  { madeAccount, userId }: ScimUser,
  before: Data,
  after: Data,
): Promise<void> {
  const name = nameIn(after)
  if (!madeAccount || nameIn(before) === name) return
  // Whether others see them is a question about other organizations.
  const elsewhere = await forkSystem(deps.orm).count(Member, {
    userId,
    organizationId: { $ne: organizationId },
  })
  if (elsewhere > 0) return
  const user = await em.findOneOrFail(User, { id: userId })
  user.name = name
}

async function announce(
  { organizationId, deps }: Call,
  outcome: { userId: string; revoked: string[] } | null,
): Promise<void> {
  if (!outcome) return
  deps.wakeOutbox()
  const { userId, revoked } = outcome
  await announceMembership(deps.revocations, { organizationId, userId }, revoked)
}

function act(
  em: EntityManager,
  call: Call,
  action: AuditAction,
  { id, userName }: ScimUser,
  changes: string,
): void {
  recordAct(em, {
    action,
    actor: actorOf(call),
    organizationId: call.organizationId,
    target: { type: 'scim-user', id },
    details: `${userName}${changes && `: ${changes}`}`,
    ip: call.ip,
    at: call.deps.now(),
  })
}

/** Names only: values are the provider's, and may be private. */
function namesChanged(before: Data, after: Data): string {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name])).join(', ')
}

/** What a provider has written, as it would write it. */
function resourceOf({ userName, externalId, data }: ScimUser, active: boolean): Data {
  return { ...data, userName, ...(externalId === null ? {} : { externalId }), active }
}

function columnsOf(resource: Data): { userName: string; externalId: string | null; data: Data } {
  assertBounded(resource)
  const { userName, externalId, active: _active, ...data } = resource
  if (typeof userName !== 'string' || userName.trim() === '') {
    throw invalidValue('A person needs a userName.')
  }
  const id = (externalId ?? null) as string | null
  if (userName.length > idCharactersMax || (id ?? '').length > idCharactersMax) {
    throw invalidValue(`userName and externalId have at most ${idCharactersMax} characters.`)
  }
  return { userName: userName.trim(), externalId: id, data }
}

async function assertNameFree(em: EntityManager, organizationId: string, userName: string) {
  const [found] = await em.execute<unknown[]>(
    `select 1 from "identity"."scim_user" where organization_id = ? and lower(user_name) = lower(?)`,
    [organizationId, userName],
  )
  if (found) throw new ScimError(409, `There is a person ${userName} already.`, 'uniqueness')
}

/** Names were looked at under the lock; what is left is one account for two people. */
async function uniquely(change: () => Promise<void>): Promise<void> {
  try {
    await change()
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error
    throw new ScimError(409, 'Another person here has the account of that email.', 'uniqueness')
  }
}
