import { ada, ago, failure } from './data.ts'
import { pageOf, type Page } from './page-of.ts'
import type { Platform } from './world.ts'

export interface FixtureApiKey {
  id: string
  name: string
  prefix: string
  permissions: readonly string[]
  requestsPerMinute: number | null
  createdAt: string
  createdBy: typeof ada | null
  makerHolds: boolean
  serviceAccount: { id: string; name: string } | null
  expiresAt: string | null
  allowedIps: readonly string[]
  lastUsedAt: string | null
  lastUsedIp: string | null
  revokedAt: string | null
  successorId: string | null
}

interface KeyInput {
  name: string
  permissions: string[]
  requestsPerMinute: number | null
  expiresAt: string | null
  allowedIps: string[] | null
}

interface ChangeArgs {
  id: string
  terms: { expiresAt?: string | null; allowedIps?: string[] | null }
}

interface RoleArgs {
  id: string
  role?: string | null
  customRoleId?: string | null
}

interface AuthtokenArgs {
  name: string
  scopes?: string[]
  expiresAt?: string | null
  allowedIps?: string[] | null
}

/** What the graph says of API keys and service accounts of the organization. */
export function machineFieldsOf({ data }: Platform) {
  return {
    apiKeys: (page: Page) => pageOf(data.apiKeys, page),
    serviceAccounts: () => data.serviceAccounts,
  }
}

export function machineMutationsOf({ data }: Platform) {
  const accountBy = (id: string) => {
    const found = data.serviceAccounts.find((one) => one.id === id)
    if (!found) throw failure('SLUICE_SERVICE_ACCOUNT_NOT_FOUND')
    return found
  }
  const addKey = (made: Partial<FixtureApiKey> & { name: string }) => {
    const apiKey: FixtureApiKey = {
      id: `k${data.apiKeys.length + 1}`,
      prefix: 'slk_NEW0aZ',
      permissions: [],
      requestsPerMinute: null,
      createdAt: ago(0),
      createdBy: ada,
      makerHolds: true,
      serviceAccount: null,
      expiresAt: null,
      lastUsedAt: null,
      lastUsedIp: null,
      revokedAt: null,
      successorId: null,
      ...made,
      allowedIps: made.allowedIps ?? [],
    }
    data.apiKeys.unshift(apiKey)
    return { apiKey, secret: 'slk_NEW0aZ8Zr2Vn6cXw3LkTy7Hd9Mf1Gs5Pj4Ae0uQiWo' }
  }
  return {
    createAuthtoken: ({ name, scopes, expiresAt, allowedIps }: AuthtokenArgs) => {
      const authtoken = {
        id: `a${data.authtokens.length + 1}`,
        name,
        prefix: 'slt_NEW0',
        scopes: scopes ?? ['TUNNELS_START', 'TUNNELS_READ', 'REQUESTS_READ'],
        createdAt: ago(0),
        createdBy: ada,
        serviceAccount: null,
        expiresAt: expiresAt ?? null,
        allowedIps: allowedIps ?? [],
        lastUsedAt: null,
        lastUsedIp: null,
        revokedAt: null,
        successorId: null,
      }
      data.authtokens.unshift(authtoken)
      return { authtoken, secret: 'slt_NEW0bq8Zr2Vn6cXw3LkTy7Hd9Mf1Gs5Pj4Ae0uQiWo' }
    },
    revokeAuthtoken: ({ id }: { id: string }) => {
      const found = data.authtokens.find((authtoken) => authtoken.id === id)
      if (!found) throw failure('SLUICE_AUTHTOKEN_NOT_FOUND')
      return Object.assign(found, { revokedAt: ago(0) })
    },
    changeAuthtoken: ({ id, terms }: ChangeArgs) => {
      const found = data.authtokens.find((authtoken) => authtoken.id === id)
      if (!found) throw failure('SLUICE_AUTHTOKEN_NOT_FOUND')
      if (terms.allowedIps?.includes('everywhere')) throw failure('SLUICE_FORBIDDEN')
      return Object.assign(found, terms)
    },
    changeApiKey: ({ id, terms }: ChangeArgs) =>
      Object.assign(data.apiKeys.find((one) => one.id === id) ?? {}, terms),
    createApiKey: ({ input }: { input: KeyInput }) =>
      addKey({ ...input, allowedIps: input.allowedIps ?? [] }),
    rotateApiKey: ({ id, overlapSeconds }: { id: string; overlapSeconds: number }) => {
      const old = data.apiKeys.find((one) => one.id === id)
      if (!old) throw failure('SLUICE_API_KEY_NOT_FOUND')
      const made = addKey({ ...old, id: `k${data.apiKeys.length + 1}`, createdAt: ago(0) })
      Object.assign(old, { successorId: made.apiKey.id, expiresAt: ago(-overlapSeconds) })
      return made
    },
    revokeApiKey: ({ id }: { id: string }) =>
      Object.assign(data.apiKeys.find((one) => one.id === id) ?? {}, { revokedAt: ago(0) }),
    createServiceAccount: ({ name, role }: { name: string; role?: string | null }) => {
      const made = {
        id: `sa${data.serviceAccounts.length + 1}`,
        name,
        role: role ?? 'VIEWER',
        customRole: null,
        createdAt: ago(0),
        disabledAt: null,
      }
      data.serviceAccounts.push(made)
      return made
    },
    changeServiceAccountRole: ({ id, role }: RoleArgs) =>
      Object.assign(accountBy(id), { role: role ?? 'VIEWER' }),
    setServiceAccountDisabled: ({ id, disabled }: { id: string; disabled: boolean }) =>
      Object.assign(accountBy(id), { disabledAt: disabled ? ago(0) : null }),
    deleteServiceAccount: ({ id }: { id: string }) => {
      data.serviceAccounts.splice(data.serviceAccounts.indexOf(accountBy(id)), 1)
      return id
    },
  }
}
