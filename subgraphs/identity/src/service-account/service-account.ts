import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { covers, type PermissionSet } from '@sluice/schema/permissions'

import { recordAct, type AuditAction } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { credentialKinds } from '../credential/credential-kinds.ts'
import { revokeCredentials, type Revoked } from '../credential/revoke-credentials.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { recordRevocations } from '../revocation/revocation-list.ts'
import { lookUpRole, type RoleGiven } from '../role/held-permissions.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { inputInvalid, nameOf } from '../text.ts'
import type { User } from '../user/user.entity.ts'
import { ServiceAccount } from './service-account.entity.ts'

const serviceAccountsMax = 100

/** The service accounts of an organization, by name. */
export async function findServiceAccounts(
  { em, principal }: Context,
  organizationId: string,
): Promise<ServiceAccount[]> {
  assertMay(principal, organizationId, 'authtokens.read')
  return em.find(ServiceAccount, { organizationId }, { orderBy: { name: 'asc' } })
}

/** Makes a service account. Nobody gives one more than they may do themselves, and none is an owner. */
export async function createServiceAccount(
  context: Context,
  organizationId: string,
  nameText: string,
  given: RoleGiven,
): Promise<ServiceAccount> {
  const { principal, attempts, now } = context
  const userId = personOf(context)
  assertMay(principal, organizationId, 'service-accounts.manage')
  const name = nameOf(nameText, 'the name')
  assertNoOwner(given)
  await attempts.count(attemptLimits.createByUser, userId)

  return context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, userId, 'service-accounts.manage')
    const { permissions, label } = await lookUpRole(em, organizationId, given)
    if (!covers(actor.permissions, permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
    if ((await em.count(ServiceAccount, { organizationId })) >= serviceAccountsMax) {
      throw new SluiceError('SLUICE_SERVICE_ACCOUNTS_MAX', { max: serviceAccountsMax })
    }
    const account = em.create(ServiceAccount, {
      id: crypto.randomUUID(),
      organizationId,
      name,
      ...given,
      createdAt: now(),
      createdBy: userId,
      disabledAt: null,
    })
    em.persist(account)
    record(context, em, 'service-account.created', account, actor.user, `${name} as ${label}`)
    await flushNamed(em)
    return account
  })
}

/** Gives a service account another role. What it may do from then on its credentials may. */
export async function changeServiceAccountRole(
  context: Context,
  id: string,
  given: RoleGiven,
): Promise<ServiceAccount> {
  assertNoOwner(given)
  return change(context, id, async (em, account, actor) => {
    const { organizationId, name } = account
    const { permissions, label } = await lookUpRole(em, organizationId, given)
    if (!covers(actor.permissions, permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
    Object.assign(account, given)
    record(
      context,
      em,
      'service-account.role-changed',
      account,
      actor.user,
      `${name} is now ${label}`,
    )
    return revokeMeanwhile(context, em, account)
  })
}

/** Stops what a service account owns, at once everywhere, or lets it go on. */
export async function setServiceAccountDisabled(
  context: Context,
  id: string,
  disabled: boolean,
): Promise<ServiceAccount> {
  return change(context, id, async (em, account, actor) => {
    if ((account.disabledAt !== null) === disabled) return []
    account.disabledAt = disabled ? context.now() : null
    const action = disabled ? 'service-account.disabled' : 'service-account.enabled'
    record(context, em, action, account, actor.user, account.name)
    return disabled ? revokeMeanwhile(context, em, account) : []
  })
}

/** Deletes a service account and revokes what it owned. */
export async function deleteServiceAccount(context: Context, id: string): Promise<string> {
  await change(context, id, async (em, account, actor) => {
    const act = { actor: actor.user, ip: context.visitorIp, at: context.now() }
    const revoked: Revoked[] = []
    for (const kind of credentialKinds) {
      const owned = await em.find(kind.entity, { serviceAccountId: id, revokedAt: null })
      const reason = 'owner-gone'
      revoked.push(...(await revokeCredentials(em, kind, owned, { ...act, reason })))
    }
    record(context, em, 'service-account.deleted', account, actor.user, account.name)
    em.remove(account)
    return revoked
  })
  return id
}

/** The service account that a credential is to act for, and what it may do. Throws for one that is disabled. */
export async function findActingAccount(
  em: EntityManager,
  organizationId: string,
  id: string,
): Promise<{ account: ServiceAccount; permissions: PermissionSet }> {
  const account = isUuid(id)
    ? await em.findOne(ServiceAccount, { id, organizationId }, { refresh: true })
    : null
  if (!account) throw new SluiceError('SLUICE_SERVICE_ACCOUNT_NOT_FOUND')
  if (account.disabledAt) throw inputInvalid('the service account is disabled')
  const { permissions } = await lookUpRole(em, organizationId, givenTo(account))
  return { account, permissions }
}

async function change(
  context: Context,
  id: string,
  act: (
    em: EntityManager,
    account: ServiceAccount,
    actor: { permissions: PermissionSet; user: User },
  ) => Promise<Revoked[]>,
): Promise<ServiceAccount> {
  const userId = personOf(context)
  const found = isUuid(id) ? await context.em.findOne(ServiceAccount, { id }) : null
  if (!found) throw new SluiceError('SLUICE_SERVICE_ACCOUNT_NOT_FOUND')
  const { account, revoked } = await context.em.transactional(async (em) => {
    const { organizationId } = found
    const actor = await lockAsActor(em, organizationId, userId, 'service-accounts.manage')
    const fresh = await em.findOne(ServiceAccount, { id }, { refresh: true })
    if (!fresh) throw new SluiceError('SLUICE_SERVICE_ACCOUNT_NOT_FOUND')
    // Whoever cannot give its role does not touch it either: a custom role may hold more than an admin does.
    const held = await lookUpRole(em, organizationId, givenTo(fresh))
    if (!covers(actor.permissions, held.permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
    const stopped = await act(em, fresh, actor)
    await flushNamed(em)
    return { account: fresh, revoked: stopped }
  })
  context.wakeOutbox()
  for (const one of revoked) await context.revocations.publish(one.kind, one.id)
  return account
}

/** Its credentials stay, but whoever holds what they were good for asks again: agents and streams come back if they may. */
async function revokeMeanwhile(
  { now }: Context,
  em: EntityManager,
  { id }: ServiceAccount,
): Promise<Revoked[]> {
  const revoked: Revoked[] = []
  for (const { name: kind, entity } of credentialKinds) {
    const owned = await em.find(entity, { serviceAccountId: id, revokedAt: null })
    const ids = owned.map((one) => one.id)
    recordRevocations(em, kind, ids, { at: now(), reason: 'disabled' })
    revoked.push(...ids.map((one) => ({ kind, id: one })))
  }
  return revoked
}

function givenTo({ role, customRoleId }: ServiceAccount): RoleGiven {
  return { role, customRoleId: customRoleId ?? null }
}

function assertNoOwner({ role, customRoleId }: RoleGiven): void {
  if (customRoleId === null && role === 'OWNER') {
    throw inputInvalid('a service account cannot be an owner')
  }
}

function record(
  { visitorIp, now }: Context,
  em: EntityManager,
  action: AuditAction,
  { id, organizationId }: ServiceAccount,
  actor: User,
  details: string,
): void {
  const target = { type: 'service-account', id } as const
  recordAct(em, { action, actor, organizationId, target, details, ip: visitorIp, at: now() })
}

async function flushNamed(em: EntityManager): Promise<void> {
  try {
    await em.flush()
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) {
      throw new SluiceError(
        'SLUICE_INPUT_INVALID',
        { reason: 'a service account has this name' },
        { cause: error },
      )
    }
    throw error
  }
}
