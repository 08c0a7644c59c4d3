import { randomBytes } from 'node:crypto'

import { LockMode } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { txtNameOf } from '@sluice/kit/dns-proof'
import { parseDomainName } from '@sluice/kit/domain-name'
import { recordEvent } from '@sluice/kit/outbox'
import { assertMay, may } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { freeEntitlements } from '@sluice/schema/events'

import { Certificate } from '../certificate/certificate.entity.ts'
import type { Context } from '../context.ts'
import { Allowance } from '../organization/allowance.entity.ts'
import { KnownTunnel } from '../tunnel/known-tunnel.entity.ts'
import { CustomDomain } from './custom-domain.entity.ts'
import { firstDnsCheckAt, recordDnsCheck } from './dns-schedule.ts'
import { recordDomainAct } from './domain-act.ts'

/** Whatever the plan says: an agent token names at most 50 endpoint hosts, the tunnel's own among them. */
const domainsPerOrganizationMax = 49
/** Each is looked up in DNS again and again. */
const addByOrganization = { name: 'domain-add', attemptsMax: 120, windowMs: 60 * 60_000 }
const tokenBytes = 16

/** Whether the domains of an organization may be read. */
export function mayReadDomains(
  { principal }: Pick<Context, 'principal'>,
  organizationId: string,
): boolean {
  return may(principal, organizationId, 'domains.read')
}

/** Adds a domain, pending until it is proven. Adding it again answers the one that is there. */
export async function addCustomDomain(
  context: Context,
  { organizationId, domain: text }: { organizationId: string; domain: string },
): Promise<CustomDomain> {
  const { em, principal, settings, attempts } = context
  assertMay(principal, organizationId, 'domains.manage')
  await attempts.count(addByOrganization, organizationId)
  const domain = parseDomainName(text, settings.ownApexes)
  return em.transactional(async (locked) => {
    // Counting and adding belong together: two at once would both find room for one.
    const lockName = `sluice:domains:${organizationId}`
    await locked.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [lockName])
    const known = await locked.findOne(CustomDomain, { organizationId, domain })
    if (known) return known

    const max = await domainsMaxOf(locked, organizationId)
    const count = await locked.count(CustomDomain, { organizationId })
    if (count >= max) throw new SluiceError('SLUICE_DOMAINS_MAX', { max })
    const token = randomBytes(tokenBytes).toString('hex')
    const created = locked.create(CustomDomain, {
      organizationId,
      domain,
      addedBy: principal.userId,
      token,
      nextDnsCheckAt: firstDnsCheckAt(new Date()),
    })
    recordDomainAct(locked, context, 'domain.added', created)
    return created
  })
}

async function domainsMaxOf(em: EntityManager, organizationId: string): Promise<number> {
  const allowance = await em.findOne(Allowance, { organizationId })
  const max = allowance?.maxCustomDomains ?? freeEntitlements.maxCustomDomains
  return Math.min(max, domainsPerOrganizationMax)
}

/**
 * Asks DNS now. A record that is missing is no error but the answer's `lastError`; throws SLUICE_DOMAIN_TAKEN when the
 * proof is good but another organization was first.
 */
export async function verifyCustomDomain(context: Context, id: string): Promise<CustomDomain> {
  const domain = await findForChange(context, id)
  // No transaction is held while DNS is asked.
  const check = await context.checkDns(domain)
  const outcome = await recordDnsCheck(context.em, domain, check, new Date(), context)
  if (outcome === 'gone') throw new SluiceError('SLUICE_DOMAIN_NOT_FOUND')
  if (outcome === 'taken') throw new SluiceError('SLUICE_DOMAIN_TAKEN', { domain: domain.domain })
  await context.em.refresh(domain)
  return domain
}

/** Lets a verified domain lead to a tunnel of the same organization, in place of the one before. */
export async function attachCustomDomain(
  context: Context,
  { id, tunnelId }: { id: string; tunnelId: string },
): Promise<CustomDomain> {
  const { organizationId } = await findForChange(context, id)
  return context.em.transactional(async (em) => {
    // Held until the end, and taken before the domain: a deletion of the tunnel waits, then detaches what it finds.
    const tunnel = await lockTunnel(em, tunnelId, organizationId)
    const domain = await lockDomain(em, id)
    if (!domain.isVerified()) {
      throw new SluiceError('SLUICE_DOMAIN_NOT_VERIFIED', {
        domain: domain.domain,
        record: txtNameOf(domain.domain),
        reason: domain.lastError ?? 'it was not checked yet',
      })
    }
    if (!tunnel) throw new SluiceError('SLUICE_TUNNEL_NOT_FOUND')
    if (domain.tunnelId === tunnelId) return domain

    if (domain.tunnelId) recordDetached(em, domain)
    domain.tunnelId = tunnelId
    await em.flush()
    recordEvent(em, 'domain.attached', `domain:${domain.id}`, {
      organizationId,
      domainId: domain.id,
      domain: domain.domain,
      tunnelId,
    })
    recordDomainAct(em, context, 'domain.attached', domain, `tunnel ${tunnelId}`)
    return domain
  })
}

/** Lets a domain lead nowhere. Does nothing when it is not attached. */
export async function detachCustomDomain(context: Context, id: string): Promise<CustomDomain> {
  await findForChange(context, id)
  return context.em.transactional(async (em) => {
    const domain = await lockDomain(em, id)
    if (!domain.tunnelId) return domain
    recordDetached(em, domain)
    recordDomainAct(em, context, 'domain.detached', domain, `tunnel ${domain.tunnelId}`)
    domain.tunnelId = null
    return domain
  })
}

/** Removes a domain; another organization may prove it from now on. */
export async function removeCustomDomain(context: Context, id: string): Promise<string> {
  const { domain: name } = await findForChange(context, id)
  await context.em.transactional(async (em) => {
    const domain = await lockDomain(em, id)
    if (domain.tunnelId) recordDetached(em, domain)
    await em.nativeDelete(Certificate, { domainId: id })
    recordDomainAct(em, context, 'domain.removed', domain)
    em.remove(domain)
  })
  await context.announceCertificate(name)
  return id
}

/** Tells the others that a domain leads nowhere now; the caller holds its row. */
export function recordDetached(
  em: EntityManager,
  { id, organizationId, domain }: Pick<CustomDomain, 'id' | 'organizationId' | 'domain'>,
): void {
  recordEvent(em, 'domain.detached', `domain:${id}`, { organizationId, domainId: id, domain })
}

/** The domain, if whoever asks may change it. Another organization's counts as missing. */
export async function findForChange({ em, principal }: Context, id: string): Promise<CustomDomain> {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const domain = isUuid(id) ? await em.findOne(CustomDomain, { id }) : null
  if (!domain) throw new SluiceError('SLUICE_DOMAIN_NOT_FOUND')
  assertMay(principal, domain.organizationId, 'domains.manage')
  return domain
}

async function lockTunnel(em: EntityManager, id: string, organizationId: string) {
  if (!isUuid(id)) return null
  return em.findOne(KnownTunnel, { id, organizationId }, { lockMode: LockMode.PESSIMISTIC_READ })
}

/** Holds the row, so that events of one domain are numbered in the order in which they became true. */
export async function lockDomain(em: EntityManager, id: string): Promise<CustomDomain> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true } as const
  const domain = await em.findOne(CustomDomain, { id }, lock)
  if (!domain) throw new SluiceError('SLUICE_DOMAIN_NOT_FOUND')
  return domain
}
