import type { Attempts } from '@sluice/kit/attempts'
import type { EntityManager } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import type { Principal } from '@sluice/kit/principal'
import type { Sealer } from '@sluice/kit/sealer'
import type DataLoader from 'dataloader'

import type { Certificate } from './certificate/certificate.entity.ts'
import type { CustomDomain } from './domain/custom-domain.entity.ts'
import type { DnsCheck } from './domain/dns-check.ts'

/** What the operator configured about domains. */
interface DomainSettings {
  /** Where a custom domain's CNAME must lead: a name of the relays. */
  cnameTarget: string
  /** Names of this Sluice server; they and what is below cannot be custom domains. */
  ownApexes: readonly string[]
}

/** One request: who asks, and an entity manager that sees the own organizations only. */
export interface Context {
  principal: Principal
  /** Where the call came from; empty when nobody said. */
  visitorIp: string
  em: EntityManager
  settings: DomainSettings
  /** Counts who adds domains. */
  attempts: Attempts
  /** Asks DNS about one domain. */
  checkDns: (domain: CustomDomain) => Promise<DnsCheck>
  loaders: Loaders
  /** Undefined: no certificates are kept. */
  sealer: Sealer | undefined
  /** A fresh entity manager that sees every organization: for relays, which serve all of them. */
  system: () => EntityManager
  /** Tells relays, after the commit, that a domain's certificate is another now. */
  announceCertificate: (domain: string) => Promise<void>
  log: Log
}

/** Each key of a request in one statement, however many representations ask. */
export interface Loaders {
  domain: DataLoader<string, CustomDomain | null>
  domainsOfOrganization: DataLoader<string, CustomDomain[]>
  domainsOfTunnel: DataLoader<string, CustomDomain[]>
  certificateOfDomain: DataLoader<string, Certificate | null>
}
