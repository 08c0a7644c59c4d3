import type { EntityManager } from '@sluice/kit/database'
import { exportRowsPerPage, rowsByPage, type PersonExport } from '@sluice/kit/person-export'

import { Certificate } from '../certificate/certificate.entity.ts'
import { CustomDomain } from './custom-domain.entity.ts'

/** What domains keeps of a person: the domains that they added, and the certificates that they gave. Never a key. */
export function exportDomains(em: () => EntityManager, userId: string): PersonExport {
  return { domains: addedDomains(em, userId), certificates: givenCertificates(em, userId) }
}

async function* addedDomains(em: () => EntityManager, addedBy: string) {
  const domains = rowsByPage<CustomDomain>((after) =>
    em().find(
      CustomDomain,
      { addedBy, ...(after ? { id: { $gt: after.id } } : {}) },
      { orderBy: { id: 'asc' }, limit: exportRowsPerPage },
    ),
  )
  for await (const { id, organizationId, domain, status, ...times } of domains) {
    const { createdAt, verifiedAt, tunnelId } = times
    yield { id, organizationId, domain, status, createdAt, verifiedAt, tunnelId }
  }
}

async function* givenCertificates(em: () => EntityManager, createdBy: string) {
  const certificates = rowsByPage<Certificate>((after) =>
    em().find(
      Certificate,
      { createdBy, ...(after ? { id: { $gt: after.id } } : {}) },
      { orderBy: { id: 'asc' }, limit: exportRowsPerPage },
    ),
  )
  for await (const {
    organizationId,
    domainId,
    fingerprint,
    issuer,
    names,
    ...times
  } of certificates) {
    const { notBefore, notAfter, createdAt } = times
    yield { organizationId, domainId, fingerprint, issuer, names, notBefore, notAfter, createdAt }
  }
}
