import { ada, ago, failure } from './data.ts'
import { pageOf } from './page-of.ts'
import type { Page } from './page-of.ts'

interface Suspension {
  readonly at: string
  readonly reason: string
}

/** What staff finds and changes, on the platform in memory. */
export function staffState() {
  return {
    users: [
      { id: 'u1', name: 'Ada Lovelace', email: 'ada@example.com', isAdmin: true },
      { id: 'u2', name: 'Grace Hopper', email: 'grace@example.com', isAdmin: false },
    ],
    /** Of users and organizations, by id. */
    suspensions: new Map<string, Suspension>(),
    hosts: [
      {
        id: 'h1',
        name: 'login.tunnel.localhost',
        organizationId: 'o1',
        reason: 'Phishing, reported by a bank.',
        at: ago(600),
      },
    ],
    blocks: [{ network: '203.0.113.0/24', endsAt: ago(-600), strikes: 2 }],
    rotations: [rotationOf('SIGNING_KEY', 'key-2', null)],
    /** Who acts as whom, by the id of the user. */
    impersonated: new Map<string, { reason: string; mayChange: boolean }>(),
  }
}
function rotationOf(
  kind: 'SIGNING_KEY' | 'INTERNAL_KEY',
  successorId: string,
  by: typeof ada | null,
) {
  return {
    id: crypto.randomUUID(),
    kind,
    secretId: 'key-1',
    successorId,
    at: ago(60),
    by,
    oldEndsAt: ago(-60),
    finishedAt: null,
    verifiedAt: null,
  }
}
export type StaffState = ReturnType<typeof staffState>

const anomalies = [
  {
    id: 'a1',
    kind: 'impossible-travel',
    severity: 'high',
    user: { id: 'u2', name: 'Grace Hopper', email: 'grace@example.com' },
    subject: '198.51.100.0/24',
    details: '8600 km from DE to US in 1 h',
    ip: '198.51.100.7',
    count: 1,
    firstAt: ago(300),
    lastAt: ago(300),
  },
  {
    id: 'a2',
    kind: 'sign-in-failures',
    severity: 'medium',
    user: null,
    subject: '203.0.113.0/24',
    details: null,
    ip: '203.0.113.9',
    count: 42,
    firstAt: ago(3_000),
    lastAt: ago(2_000),
  },
]

type AnomalyArgs = Page & { severity?: string | null }

const anomaliesOf = ({ severity, ...page }: AnomalyArgs) =>
  pageOf(
    anomalies
      .filter((one) => !severity || one.severity.toUpperCase() === severity)
      .map((one) => ({
        ...one,
        kind: one.kind.toUpperCase().replaceAll('-', '_'),
        severity: one.severity.toUpperCase(),
      })),
    page,
  )

/** What an organization shows of it. */
export function staffFieldsOf(state: StaffState, organizationId: string) {
  return {
    suspension: () => state.suspensions.get(organizationId) ?? null,
    anomalies: anomaliesOf,
  }
}

/** What staff sees of an account beyond its list. */
const accountDetails = {
  waysIn: { password: true, passkeys: 1, accounts: ['github'], secondFactor: false },
  signIns: [
    {
      id: 's1',
      device: 'Firefox on Linux',
      ip: '192.0.2.7',
      place: 'Berlin, Germany',
      startedAt: ago(86_400),
      lastUsedAt: ago(3_600),
      endedAt: null,
    },
    {
      id: 's2',
      device: 'Safari on iOS',
      ip: '198.51.100.7',
      place: null,
      startedAt: ago(86_400 * 9),
      lastUsedAt: ago(86_400 * 8),
      endedAt: ago(86_400 * 7),
    },
  ],
  impersonations: [
    {
      id: 'i1',
      staff: { id: 'u1', name: 'Ada Lovelace' },
      reason: 'They could not see their tunnel.',
      ticket: 'HELP-7',
      mayChange: false,
      startedAt: ago(86_400 * 2),
      endedAt: ago(86_400 * 2 - 900),
    },
  ],
  history: [
    {
      id: 'e1',
      action: 'impersonation.started',
      actorName: 'Ada Lovelace',
      details: 'staff as Grace Hopper, 0193a7c2: They could not see their tunnel.',
      ip: '192.0.2.9',
      at: ago(86_400 * 2),
    },
  ],
  lastUse: { at: ago(3_600), ip: '192.0.2.7' },
}

export function staffRootOf(state: StaffState) {
  const organization = {
    id: 'o1',
    name: 'Acme',
    slug: 'acme',
    createdAt: ago(86_400 * 60),
    suspension: () => state.suspensions.get('o1') ?? null,
  }
  const suspensionOf = (id: string) => ({ suspension: state.suspensions.get(id) ?? null })
  const userOf = (user: StaffState['users'][number]) => ({
    ...user,
    ...suspensionOf(user.id),
    emailVerifiedAt: ago(86_400),
    createdAt: ago(86_400 * 30),
    ...accountDetails,
    places: [{ role: 'OWNER', organization }],
  })
  const organizationOf = () => ({
    ...organization,
    ...suspensionOf('o1'),
    memberCount: state.users.length,
    organization: { ...organization, plan: { id: 'free', name: 'Free' } },
    places: state.users.map((user) => ({ user, role: 'OWNER' })),
  })
  const findUser = (id: string) => {
    const found = state.users.find((user) => user.id === id)
    if (!found) throw failure('SLUICE_USER_NOT_FOUND')
    return found
  }
  const suspend = (id: string, reason: string) => state.suspensions.set(id, { at: ago(0), reason })
  return {
    staffUsers: ({ search, ...page }: Page & { search?: string | null }) =>
      pageOf(state.users.filter(({ email }) => email.includes(search ?? '')).map(userOf), page),
    staffUser: ({ id }: { id: string }) => userOf(findUser(id)),
    staffOrganizations: (page: Page) => pageOf([organizationOf()], page),
    staffOrganization: organizationOf,
    suspendUser: ({ id, reason }: { id: string; reason: string }) => {
      suspend(id, reason)
      return userOf(findUser(id))
    },
    unsuspendUser: ({ id }: { id: string }) => {
      state.suspensions.delete(id)
      return userOf(findUser(id))
    },
    suspendOrganization: ({ id, reason }: { id: string; reason: string }) => {
      suspend(id, reason)
      return organizationOf()
    },
    unsuspendOrganization: ({ id }: { id: string }) => {
      state.suspensions.delete(id)
      return organizationOf()
    },
    suspendedHosts: (page: Page) => pageOf(state.hosts, page),
    suspendHost: ({ name, reason }: { name: string; reason: string }) => {
      if (state.hosts.some((host) => host.name === name)) {
        throw failure('SLUICE_SUSPENSION_UNCHANGED')
      }
      const made = { id: name, name, organizationId: 'o1', reason, at: ago(0) }
      state.hosts.unshift(made)
      return made
    },
    unsuspendHost: ({ name }: { name: string }) => {
      state.hosts = state.hosts.filter((host) => host.name !== name)
      return name
    },
    signingKeyRotations: () => state.rotations,
    rotateSigningKeys: () => {
      state.rotations.unshift(rotationOf('SIGNING_KEY', 'key-3', ada))
      return state.rotations[0]
    },
    rotateInternalKeys: () => {
      state.rotations.unshift(rotationOf('INTERNAL_KEY', 'every-gateway', ada))
      return state.rotations[0]
    },
    networkBlocks: () => state.blocks,
    liftNetworkBlock: ({ network }: { network: string }) => {
      state.blocks = state.blocks.filter((block) => block.network !== network)
      return network
    },
    anomalies: anomaliesOf,
    startImpersonation: ({
      input: { userId, reason, mayChange },
    }: {
      input: { userId: string; reason: string; mayChange?: boolean | null }
    }) => {
      state.impersonated.set(userId, { reason, mayChange: mayChange ?? false })
      return {
        accessToken: 'fixture',
        expiresAt: ago(-1_800),
        impersonation: { id: userId, mayChange: mayChange ?? false },
        user: userOf(findUser(userId)),
      }
    },
    endImpersonation: ({ id }: { id: string }) => {
      state.impersonated.delete(id)
      return id
    },
  }
}
