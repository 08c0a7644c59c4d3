import { randomBytes } from 'node:crypto'

import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { checkTxt, openResolver, type TxtCheck } from '@sluice/kit/dns-proof'
import { parseDomainName } from '@sluice/kit/domain-name'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { lockForSso, type SsoActor } from './change-sso.ts'
import { EmailDomain } from './email-domain.entity.ts'
import { loseProof, noteProof } from './recheck-email-domains.ts'

const emailDomainsMax = 50
const tokenBytes = 16

/** The email domains of an organization by name, proven or not. */
export async function findEmailDomains(
  { em, principal }: Context,
  organizationId: string,
): Promise<EmailDomain[]> {
  assertMay(principal, organizationId, 'sso.manage')
  return em.find(EmailDomain, { organizationId }, { orderBy: { domain: 'asc' } })
}

/** Adds a domain, pending until it is proven. Adding it again answers the one that is there. */
export async function addEmailDomain(
  context: Context,
  organizationId: string,
  text: string,
): Promise<EmailDomain> {
  assertMay(context.principal, organizationId, 'sso.manage')
  const domain = parseDomainName(text, context.sso.ownApexes)
  return context.em.transactional(async (em) => {
    const actor = await lockForSso(em, context, organizationId)
    const known = await em.findOne(EmailDomain, { organizationId, domain })
    if (known) return known
    if ((await em.count(EmailDomain, { organizationId })) >= emailDomainsMax) {
      throw new SluiceError('SLUICE_DOMAINS_MAX', { max: emailDomainsMax })
    }
    const added = em.create(EmailDomain, {
      id: crypto.randomUUID(),
      organizationId,
      domain,
      token: randomBytes(tokenBytes).toString('hex'),
      status: 'PENDING',
      createdAt: context.now(),
      verifiedAt: null,
      lastCheckedAt: null,
      lastError: null,
      missingSince: null,
      nextCheckAt: null,
    })
    em.persist(added)
    record(context, em, actor, 'email-domain.added', added)
    await em.flush()
    return added
  })
}

/**
 * Asks DNS now. A record that is missing is no error but the answer's `lastError`; throws SLUICE_DOMAIN_TAKEN when the
 * proof is good but another organization holds the domain, whose own record still stands.
 */
export async function verifyEmailDomain(context: Context, id: string): Promise<EmailDomain> {
  const found = await findForChange(context, id)
  await context.attempts.count(attemptLimits.ssoSettingsByUser, context.principal.id)
  // No transaction is held while DNS is asked.
  const check = await checkProof(context, found)
  if (check.txtFound !== true) return noteCheck(context, found, check)
  if (await verified(context, found)) return refreshed(context, found)

  const holder = await forkSystem(context.orm).findOne(EmailDomain, {
    domain: found.domain,
    status: 'VERIFIED',
  })
  // Whoever holds the name in DNS is right: a proof of others that is gone gives way.
  if (!holder || (await checkProof(context, holder)).txtFound !== false) throw taken(found)
  await loseProof(context, holder, 'another organization has proven it since')
  if (!(await verified(context, found))) throw taken(found)
  return refreshed(context, found)
}

/** Removes a domain. Members who came by it stay; nobody new comes by it. */
export async function removeEmailDomain(context: Context, id: string): Promise<string> {
  const { organizationId } = await findForChange(context, id)
  await context.em.transactional(async (em) => {
    const actor = await lockForSso(em, context, organizationId)
    const found = await em.findOne(EmailDomain, { id }, { refresh: true })
    if (!found) throw new SluiceError('SLUICE_DOMAIN_NOT_FOUND')
    record(context, em, actor, 'email-domain.removed', found)
    em.remove(found)
  })
  return id
}

/** The organization that has proven the domain of an address, or null. Asks across organizations. */
export async function organizationOfEmail(
  em: EntityManager,
  email: string,
): Promise<string | null> {
  const domain = domainOfEmail(email)
  if (domain === null) return null
  const found = await em.findOne(EmailDomain, { domain, status: 'VERIFIED' })
  return found?.organizationId ?? null
}

/** The domain of an address as it is stored; null for what is none. */
function domainOfEmail(email: string): string | null {
  try {
    return parseDomainName(email.slice(email.lastIndexOf('@') + 1), [])
  } catch {
    return null
  }
}

async function checkProof(
  { sso }: Context,
  { domain, token }: Pick<EmailDomain, 'domain' | 'token'>,
): Promise<TxtCheck> {
  return checkTxt(openResolver(sso), domain, token)
}

async function noteCheck(
  context: Context,
  domain: EmailDomain,
  check: TxtCheck,
): Promise<EmailDomain> {
  const { em, now } = context
  const seen = { lastCheckedAt: now(), lastError: check.problem }
  await em.nativeUpdate(EmailDomain, { id: domain.id, status: 'PENDING' }, seen)
  // What was proven has its time of grace, whoever asks.
  await noteProof(context, domain, check)
  return refreshed(context, domain)
}

/** The unique index decides who has proven a domain: false when another organization has. */
async function verified(context: Context, { id, organizationId }: EmailDomain): Promise<boolean> {
  const at = context.now()
  try {
    await context.em.transactional(async (em) => {
      const actor = await lockForSso(em, context, organizationId)
      const found = await em.findOne(EmailDomain, { id }, { refresh: true })
      if (!found) throw new SluiceError('SLUICE_DOMAIN_NOT_FOUND')
      if (found.status !== 'VERIFIED') record(context, em, actor, 'email-domain.verified', found)
      Object.assign(found, {
        status: 'VERIFIED',
        verifiedAt: found.verifiedAt ?? at,
        lastCheckedAt: at,
        lastError: null,
        missingSince: null,
        nextCheckAt: null,
      })
      await em.flush()
    })
    return true
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return false
    throw error
  }
}

async function refreshed({ em }: Context, { id }: EmailDomain): Promise<EmailDomain> {
  const found = await em.findOne(EmailDomain, { id }, { refresh: true })
  if (!found) throw new SluiceError('SLUICE_DOMAIN_NOT_FOUND')
  return found
}

/** The domain, if whoever asks may change it. Another organization's counts as missing. */
async function findForChange({ em, principal }: Context, id: string): Promise<EmailDomain> {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const found = isUuid(id) ? await em.findOne(EmailDomain, { id }) : null
  if (!found) throw new SluiceError('SLUICE_DOMAIN_NOT_FOUND')
  assertMay(principal, found.organizationId, 'sso.manage')
  return found
}

function record(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  { actor }: SsoActor,
  action: 'email-domain.added' | 'email-domain.verified' | 'email-domain.removed',
  { id, organizationId, domain }: EmailDomain,
): void {
  const target = { type: 'email-domain', id } as const
  recordAct(em, { action, actor, organizationId, target, details: domain, ip, at: now() })
}

function taken({ domain }: EmailDomain): SluiceError {
  return new SluiceError('SLUICE_DOMAIN_TAKEN', { domain })
}
