import { namesOf, rolePermissions } from '@sluice/schema/permissions'

import { accountMutationsOf, passCode } from './account-world.ts'
import type { Credentials } from './account-world.ts'
import { auditFieldsOf, auditMutationsOf, auditOf, type FixtureAudit } from './audit-world.ts'
import { createChannel } from './channel.ts'
import {
  ada,
  ago,
  emptyData,
  entitlements,
  failure,
  filledData,
  openPolicy,
  password,
  plans,
  recordsOf,
  tunnelOf,
} from './data.ts'
import type { Data, FixtureTunnel } from './data.ts'
import { machineFieldsOf, machineMutationsOf } from './machines-world.ts'
import { organizationFieldsOf, organizationMutationsOf } from './organization-world.ts'
import { pageOf } from './page-of.ts'
import type { Page } from './page-of.ts'
import { scimFieldsOf, scimMutationsOf, scimState, type ScimState } from './scim-world.ts'
import { ssoFieldsOf, ssoRootOf, ssoState } from './sso-world.ts'
import type { SsoState } from './sso-world.ts'
import { staffFieldsOf, staffRootOf, staffState } from './staff-world.ts'
import type { StaffState } from './staff-world.ts'
import { waysIn, waysInRootOf } from './ways-in-world.ts'
import type { WaysIn } from './ways-in-world.ts'
import { webhookFieldsOf, webhookRootOf } from './webhooks-world.ts'

export type Subgraph = 'identity' | 'tunnels' | 'domains' | 'billing'

type Channel = ReturnType<typeof createChannel<object>>

export interface Platform {
  readonly data: Data
  readonly audit: FixtureAudit
  isSignedIn: boolean
  /** What Ada is in the first organization. */
  role: string
  /** Whether Ada left the first organization. */
  hasLeft: boolean
  /** When Ada confirmed her address. */
  emailVerifiedAt: string | null
  /** Whether Ada has shown lately that it is her. */
  isProved: boolean
  /** The second factor of Ada. */
  secondFactor: { confirmedAt: string; recoveryCodesLeft: number } | null
  /** How Ada can sign in beside her password. */
  readonly ways: WaysIn
  readonly sso: SsoState
  readonly scim: ScimState
  readonly staff: StaffState
  /** Subgraphs that do not answer. */
  readonly down: Set<Subgraph>
  /** What every answer about an organization waits for. */
  gate: Promise<void>
  readonly statuses: Channel
  readonly traffic: Channel
  readonly captured: Channel
  /** Texts of the documents that were sent. */
  readonly documents: Set<string>
  /** How often each operation was sent. */
  readonly counts: Map<string, number>
}

interface Options {
  readonly isSignedIn?: boolean
  readonly isEmpty?: boolean
}

export interface World extends Platform {
  readonly root: Record<string, object>
}

/** A platform in memory: what the graph answers, what is broken, and what was asked. */
export function createWorld({ isSignedIn = true, isEmpty = false }: Options = {}): World {
  const data = isEmpty ? emptyData() : filledData()
  const world: Platform = {
    data,
    audit: auditOf(),
    isSignedIn,
    role: 'OWNER',
    hasLeft: false,
    emailVerifiedAt: null,
    isProved: false,
    secondFactor: null,
    ways: waysIn(),
    sso: ssoState(),
    scim: scimState(isEmpty),
    staff: staffState(),
    down: new Set<Subgraph>(),
    gate: Promise.resolve(),
    statuses: createChannel<object>(),
    traffic: createChannel<object>(),
    captured: createChannel<object>(),
    documents: new Set<string>(),
    counts: new Map<string, number>(),
  }
  const organization = organizationOf(world)
  const me = {
    ...ada,
    isAdmin: true,
    emailVerifiedAt: () => world.emailVerifiedAt,
    createdAt: ago(86_400 * 60),
    memberships: () =>
      [
        { role: world.role, customRole: null, joinedAt: ago(86_400 * 60), organization },
        {
          role: 'VIEWER',
          customRole: null,
          joinedAt: ago(86_400),
          organization: {
            ...organization,
            id: 'o2',
            name: 'Globex',
            slug: 'globex',
            viewerPermissions: namesOf(rolePermissions.VIEWER),
          },
        },
      ].slice(world.hasLeft ? 1 : 0),
  }
  const grant = () => {
    world.isSignedIn = true
    return { accessToken: 'fixture', expiresAt: ago(-900), user: me }
  }
  const root = {
    ...mutationsOf(world),
    ...accountMutationsOf(world),
    ...waysInRootOf(world, grant),
    ...ssoRootOf(world.sso, () => {
      world.isSignedIn = false
    }),
    ...organizationMutationsOf(world),
    ...machineMutationsOf(world),
    ...scimMutationsOf(world.scim),
    ...webhookRootOf(world),
    ...auditMutationsOf(world),
    ...staffRootOf(world.staff),
    platformAudit: () => auditFieldsOf(world),
    me: () => me,
    organization: async ({ id }: { id: string }) => {
      await world.gate
      fail(world, 'identity')
      return id === 'o1' ? organization : null
    },
    tunnel: async ({ id }: { id: string }) => {
      await world.gate
      fail(world, 'tunnels')
      const found = data.tunnels.find((tunnel) => tunnel.id === id)
      return found ? { ...joinsOf(world, found), organization } : null
    },
    capturedRequest: async ({ id }: { id: string }) => {
      await world.gate
      fail(world, 'tunnels')
      const found = data.requests.find((request) => request.id === id)
      return found ? { ...found, tunnel: data.tunnels[0] } : null
    },
    secondFactor: async () => {
      await world.gate
      fail(world, 'identity')
      return world.secondFactor
    },
    signIns: async () => {
      await world.gate
      fail(world, 'identity')
      return data.signIns
    },
    mails: async (page: Page) => {
      await world.gate
      fail(world, 'identity')
      return pageOf(data.mails, page)
    },
    plans: () => data.plans,
    signIn: ({ email, password: given, code }: Credentials) => {
      if (email !== ada.email || given !== password) throw failure('SLUICE_SIGN_IN_FAILED')
      passCode(world, code)
      return grant()
    },
    signUp: grant,
    refreshSignIn: () => {
      if (!world.isSignedIn) throw failure('SLUICE_UNAUTHENTICATED')
      return grant()
    },
    tunnelStatus: () => mapped(world.statuses.listen(), 'tunnelStatus'),
    trafficEvents: () => mapped(world.traffic.listen(), 'trafficEvents'),
    requestCaptured: () => mapped(world.captured.listen(), 'requestCaptured'),
  }
  return Object.assign(world, { root })
}

function organizationOf(world: Platform) {
  const { data } = world
  return {
    id: 'o1',
    name: () => data.organizationName,
    slug: 'acme',
    createdAt: ago(86_400 * 60),
    viewerRole: () => world.role,
    ...organizationFieldsOf(world),
    ...ssoFieldsOf(world.sso),
    ...scimFieldsOf(world.scim),
    ...machineFieldsOf(world),
    ...webhookFieldsOf(world),
    authtokens: (page: Page) => pageOf(data.authtokens, page),
    members: (page: Page) => pageOf(data.members, page),
    ...auditFieldsOf(world),
    ...staffFieldsOf(world.staff, 'o1'),
    tunnels: (page: Page) => {
      fail(world, 'tunnels')
      return pageOf(
        data.tunnels.map((tunnel) => joinsOf(world, tunnel)),
        page,
      )
    },
    requests: (page: Page & { filter?: Filter | null }) => {
      fail(world, 'tunnels')
      return requestsOf(world, page)
    },
    customDomains: (page: Page) => {
      fail(world, 'domains')
      return pageOf(data.domains, page)
    },
    plan: () => {
      fail(world, 'billing')
      return plans[0]
    },
    planSubscription: () => null,
    entitlements: () => {
      fail(world, 'billing')
      return entitlements
    },
    usage: () => {
      fail(world, 'billing')
      return data.usage
    },
  }
}

interface Filter {
  readonly method?: string | null
  readonly statusMin?: number | null
  readonly statusMax?: number | null
  readonly pathPrefix?: string | null
  readonly pathContains?: string | null
}

function requestsOf({ data }: Platform, { filter, ...page }: Page & { filter?: Filter | null }) {
  const { method, statusMin, statusMax, pathPrefix, pathContains } = filter ?? {}
  const matching = data.requests.filter(
    (request) =>
      (!method || request.method === method) &&
      (!statusMin || request.status >= statusMin) &&
      (!statusMax || request.status <= statusMax) &&
      (!pathPrefix || request.path.startsWith(pathPrefix)) &&
      (!pathContains || request.path.includes(pathContains)),
  )
  return pageOf(
    matching.map((request) => ({ ...request, tunnel: data.tunnels[0] })),
    page,
  )
}

function joinsOf(world: Platform, tunnel: FixtureTunnel) {
  return {
    ...tunnel,
    customDomains: () => {
      fail(world, 'domains')
      return world.data.domains.filter((domain) => domain.tunnel?.id === tunnel.id)
    },
    requests: (page: Page & { filter?: Filter | null }) => requestsOf(world, page),
  }
}

function mutationsOf(world: Platform) {
  const { data } = world
  const tunnelBy = (id: string) => {
    const found = data.tunnels.find((tunnel) => tunnel.id === id)
    if (!found) throw failure('SLUICE_TUNNEL_NOT_FOUND')
    return found
  }
  const domainBy = (id: string) => {
    const found = data.domains.find((domain) => domain.id === id)
    if (!found) throw failure('SLUICE_DOMAIN_NOT_FOUND')
    return found
  }
  return {
    createTunnel: ({ input }: { input: { name?: string } }) => {
      if (data.tunnels.some(({ name }) => name === input.name)) {
        throw failure('SLUICE_ENDPOINT_HOST_TAKEN', {
          endpointHost: `${input.name}.tunnel.localhost`,
        })
      }
      const made = tunnelOf(`t${data.tunnels.length + 1}`, input.name ?? 'brave-finch', 'STOPPED')
      data.tunnels.unshift(made)
      return made
    },
    updateTunnel: ({ id, input }: { id: string; input: TunnelUpdate }) => {
      const { policy, ...rest } = input
      return Object.assign(tunnelBy(id), rest, policy && { policy: shownPolicy(policy) })
    },
    stopTunnel: ({ id }: { id: string }) =>
      Object.assign(tunnelBy(id), { status: 'STOPPED', connections: 0 }),
    deleteTunnel: ({ id }: { id: string }) => {
      data.tunnels.splice(data.tunnels.indexOf(tunnelBy(id)), 1)
      return id
    },
    addCustomDomain: ({ domain }: { domain: string }) => {
      const made = {
        id: `d${data.domains.length + 1}`,
        domain,
        status: 'PENDING',
        createdAt: ago(0),
        verifiedAt: null,
        lastCheckedAt: ago(0),
        lastError: null,
        dnsRecords: recordsOf(domain, false),
        tls: null,
        certificate: null,
        tunnel: null,
      }
      data.domains.unshift(made)
      return made
    },
    verifyCustomDomain: ({ id }: { id: string }) => {
      const found = domainBy(id)
      const dnsRecords = recordsOf(found.domain, true)
      return Object.assign(found, { status: 'VERIFIED', lastError: null, dnsRecords })
    },
    attachCustomDomain: ({ id, tunnelId }: { id: string; tunnelId: string }) =>
      Object.assign(domainBy(id), { tunnel: tunnelBy(tunnelId) }),
    detachCustomDomain: ({ id }: { id: string }) => Object.assign(domainBy(id), { tunnel: null }),
    setDomainCertificate: ({ id, chain }: { id: string; chain: string }) => {
      const found = domainBy(id)
      if (!chain.includes('BEGIN CERTIFICATE')) {
        const { domain } = found
        const reason = 'the chain holds no certificate in PEM'
        throw failure('SLUICE_CERTIFICATE_INVALID', { domain, reason })
      }
      const certificate = {
        source: 'UPLOADED',
        fingerprint: 'ab'.repeat(32),
        issuer: 'Example CA',
        names: [found.domain],
        expiresAt: ago(-86_400 * 60),
      }
      return Object.assign(found, { certificate })
    },
    removeDomainCertificate: ({ id }: { id: string }) =>
      Object.assign(domainBy(id), { certificate: null }),
    removeCustomDomain: ({ id }: { id: string }) => {
      data.domains.splice(data.domains.indexOf(domainBy(id)), 1)
      return id
    },
  }
}

function fail({ down }: Platform, subgraph: Subgraph): void {
  if (down.has(subgraph)) throw failure('SLUICE_SUBGRAPH_UNAVAILABLE', { subgraph })
}

async function* mapped(source: AsyncGenerator<object>, field: string) {
  for await (const event of source) yield { [field]: event }
}

interface TunnelUpdate {
  readonly hostHeader?: string | null
  readonly policy?: Partial<Omit<Policy, 'basicAuthUsers' | 'webhookProvider'>> & {
    readonly basicAuth?: { user: string; password?: string }[]
    readonly webhook?: { provider: string; secret?: string } | null
  }
}
type Policy = ReturnType<typeof openPolicy>

/** As the tunnels subgraph: what was given replaces all, and secrets do not come back. */
function shownPolicy({ basicAuth = [], webhook, ...rest }: NonNullable<TunnelUpdate['policy']>) {
  for (const { user, password: given } of basicAuth) {
    if (given === 'refused') {
      throw failure('SLUICE_INPUT_INVALID', { reason: `the password of ${user}` })
    }
  }
  return {
    ...openPolicy(),
    ...rest,
    requestRate: rest.requestRate
      ? { ...rest.requestRate, burst: rest.requestRate.burst ?? 1 }
      : null,
    basicAuthUsers: basicAuth.map(({ user }) => user),
    webhookProvider: webhook?.provider ?? null,
  }
}
