import { LockMode } from '@mikro-orm/core'
import { txtNameOf } from '@sluice/kit/dns-proof'
import type { Sealer } from '@sluice/kit/sealer'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { CustomDomain } from '../domain/custom-domain.entity.ts'
import { findForChange, lockDomain } from '../domain/custom-domain.ts'
import { recordDomainAct } from '../domain/domain-act.ts'
import { Certificate } from './certificate.entity.ts'
import { readChain } from './read-chain.ts'

/** Keeps the certificate that members brought for a verified domain, in place of the one before. */
export async function setDomainCertificate(
  context: Context,
  { id, chain, privateKey }: { id: string; chain: string; privateKey: string },
): Promise<CustomDomain> {
  const { domain } = await findForChange(context, id)
  const sealer = sealerOf(context)
  const now = new Date()
  const { privateKey: key, ...facts } = readChain({ domain, chain, privateKey }, now)
  const changed = await context.em.transactional(async (em) => {
    // Held, so that a certificate never outlives its domain, and of two at once one is last.
    const held = await lockDomain(em, id)
    if (!held.isVerified()) {
      const reason = held.lastError ?? 'it was not checked yet'
      const record = txtNameOf(domain)
      throw new SluiceError('SLUICE_DOMAIN_NOT_VERIFIED', { domain, record, reason })
    }
    const { organizationId } = held
    const { sealingKeyId, sealed } = sealer.seal(key, ownerOf(organizationId, domain))
    await em.nativeDelete(Certificate, { domainId: id })
    em.create(Certificate, {
      ...facts,
      organizationId,
      domainId: id,
      source: 'UPLOADED',
      sealedPrivateKey: sealed,
      sealingKeyId,
      createdAt: now,
      createdBy: context.principal.userId,
    })
    recordDomainAct(em, context, 'certificate.set', held, facts.fingerprint)
    // What visitors see is another certificate from now on.
    held.nextTlsProbeAt = now
    return held
  })
  await context.announceCertificate(domain)
  return changed
}

/** Forgets a domain's certificate. Does nothing when there is none. */
export async function removeDomainCertificate(context: Context, id: string): Promise<CustomDomain> {
  await findForChange(context, id)
  const domain = await context.em.transactional(async (em) => {
    const held = await lockDomain(em, id)
    const removed = await em.nativeDelete(Certificate, { domainId: id })
    if (removed > 0) {
      held.nextTlsProbeAt = new Date()
      recordDomainAct(em, context, 'certificate.removed', held)
    }
    return held
  })
  await context.announceCertificate(domain.domain)
  return domain
}

/** What a relay needs to serve a domain. */
export interface RelayCertificate {
  readonly chain: string
  readonly privateKey: string
  readonly fingerprint: string
  readonly expiresAt: Date
}

/** Hands chain and key of a verified domain to a relay, and to nobody else. Null: there is none. */
export async function relayCertificate(
  context: Context,
  domain: string,
): Promise<RelayCertificate | null> {
  const { principal, log } = context
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  // A relay serves every organization.
  const em = context.system()
  const name = domain.toLowerCase()
  const found = await em.findOne(CustomDomain, { domain: name, status: 'VERIFIED' })
  const certificate = found ? await em.findOne(Certificate, { domainId: found.id }) : null
  if (!found || !certificate || !context.sealer) return null
  const { organizationId, chain, fingerprint, sealingKeyId, notAfter } = certificate
  const sealed = { sealingKeyId, sealed: certificate.sealedPrivateKey }
  const privateKey = context.sealer.open(sealed, ownerOf(organizationId, found.domain))
  log.info(
    { relayKeyId: principal.id, domain: name, fingerprint },
    'a relay was handed a certificate',
  )
  return { chain, privateKey, fingerprint, expiresAt: notAfter }
}

const batchRowsMax = 100

/** Seals anew what an older key has sealed, so that the older key can be given up. */
export async function resealPrivateKeys(
  system: Context['system'],
  sealer: Sealer,
): Promise<{ resealed: number; failed: number }> {
  const counts = { resealed: 0, failed: 0 }
  for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
    const ids = await system().transactional(async (em) => {
      const old = { sealingKeyId: { $ne: sealer.currentKeyId }, id: { $gt: after } }
      const lockMode = LockMode.PESSIMISTIC_PARTIAL_WRITE
      const rows = await em.find(Certificate, old, {
        lockMode,
        limit: batchRowsMax,
        orderBy: { id: 'asc' },
      })
      const domains = await em.find(CustomDomain, { id: { $in: rows.map((row) => row.domainId) } })
      const nameOf = new Map(domains.map(({ id, domain }) => [id, domain]))
      for (const row of rows) {
        const owner = ownerOf(row.organizationId, nameOf.get(row.domainId) ?? '')
        counts[reseal(row, owner, sealer) ? 'resealed' : 'failed'] += 1
      }
      return rows.map(({ id }) => id)
    })
    after = ids.at(-1) ?? after
    if (ids.length < batchRowsMax) return counts
  }
}

function reseal(row: Certificate, owner: string, sealer: Sealer): boolean {
  try {
    const sealed = { sealingKeyId: row.sealingKeyId, sealed: row.sealedPrivateKey }
    const again = sealer.seal(sealer.open(sealed, owner), owner)
    row.sealedPrivateKey = again.sealed
    row.sealingKeyId = again.sealingKeyId
    return true
  } catch {
    // Its key was taken from the configuration too early. Given back, the next start finds the row again.
    return false
  }
}

/** Whose a sealed key is: it opens for no other organization and no other domain. */
function ownerOf(organizationId: string, domain: string): string {
  return `certificate|${organizationId}|${domain}`
}

function sealerOf({ sealer }: Context): Sealer {
  if (!sealer) throw new SluiceError('SLUICE_CERTIFICATES_NOT_KEPT')
  return sealer
}
