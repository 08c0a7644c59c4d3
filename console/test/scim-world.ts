import { ada, ago, failure } from './data.ts'
import { pageOf, type Page } from './page-of.ts'

interface Token {
  id: string
  name: string
  prefix: string
  createdAt: string
  createdBy: typeof ada | null
  lastUsedAt: string | null
  lastUsedIp: string | null
  expiresAt: string | null
  revokedAt: string | null
}

/** What the graph says of an identity provider that speaks SCIM. */
export interface ScimState {
  tokens: Token[]
  groups: {
    id: string
    name: string
    members: number
    role: string | null
    customRole: null
    createdAt: string
  }[]
  calls: object[]
}

export function scimState(isEmpty: boolean): ScimState {
  if (isEmpty) return { tokens: [], groups: [], calls: [] }
  const group = (id: string, name: string, members: number, role: string | null) => ({
    id,
    name,
    members,
    role,
    customRole: null,
    createdAt: ago(86_400),
  })
  const call = (id: string, seconds: number, method: string, path: string) => ({
    id,
    at: ago(seconds),
    tokenName: 'Okta',
    method,
    path,
    status: 200,
    detail: null,
  })
  return {
    tokens: [tokenOf('st1', 'Okta', 'slc_4fXq9b')],
    groups: [group('g1', 'Platform engineers', 12, 'DEVELOPER'), group('g2', 'Finance', 3, null)],
    calls: [
      call('c1', 40, 'PATCH', '/Users/7d5c8f0e'),
      {
        ...call('c2', 90, 'GET', '/Users?filter=login eq "grace"'),
        status: 400,
        detail: 'The filter cannot be used: there is no attribute login to filter by.',
      },
    ],
  }
}

function tokenOf(id: string, name: string, prefix: string): Token {
  return {
    id,
    name,
    prefix,
    createdAt: ago(86_400 * 9),
    createdBy: ada,
    lastUsedAt: ago(40),
    lastUsedIp: '192.0.2.7',
    expiresAt: null,
    revokedAt: null,
  }
}

export function scimFieldsOf(scim: ScimState) {
  return {
    scim: () => ({
      baseUrl: 'http://localhost:4000/scim/v2',
      people: 14,
      tokens: () => scim.tokens,
      groups: (page: Page) => pageOf(scim.groups, page),
      calls: () => scim.calls,
    }),
  }
}

export function scimMutationsOf(scim: ScimState) {
  const tokenBy = (id: string) => {
    const found = scim.tokens.find((one) => one.id === id)
    if (!found) throw failure('SLUICE_SCIM_TOKEN_NOT_FOUND')
    return found
  }
  const add = (name: string) => {
    const token = {
      ...tokenOf(`st${scim.tokens.length + 1}`, name, 'slc_NEW0aZ'),
      lastUsedAt: null,
    }
    scim.tokens.unshift(token)
    return { token, secret: 'slc_NEW0aZ8Zr2Vn6cXw3LkTy7Hd9Mf1Gs5Pj4Ae0u' }
  }
  return {
    createScimToken: ({ input }: { input: { name: string } }) => add(input.name),
    rotateScimToken: ({ input }: { input: { id: string; overlapHours: number } }) => {
      const old = tokenBy(input.id)
      old.expiresAt = ago(-3_600 * input.overlapHours)
      return add(old.name)
    },
    revokeScimToken: ({ id }: { id: string }) => Object.assign(tokenBy(id), { revokedAt: ago(0) }),
    mapScimGroup: ({ input }: { input: { groupId: string; role: string | null } }) => {
      const found = scim.groups.find(({ id }) => id === input.groupId)
      if (!found) throw failure('SLUICE_SCIM_GROUP_NOT_FOUND')
      return Object.assign(found, { role: input.role })
    },
  }
}
