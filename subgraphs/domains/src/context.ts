import type { EntityManager } from '@sluice/kit/database'
import type { Principal } from '@sluice/kit/principal'
import type DataLoader from 'dataloader'

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
  em: EntityManager
  settings: DomainSettings
  /** Asks DNS about one domain. */
  checkDns: (domain: CustomDomain) => Promise<DnsCheck>
  loaders: Loaders
}

/** Each key of a request in one statement, however many representations ask. */
export interface Loaders {
  domain: DataLoader<string, CustomDomain | null>
  domainsOfOrganization: DataLoader<string, CustomDomain[]>
  domainsOfTunnel: DataLoader<string, CustomDomain[]>
}
