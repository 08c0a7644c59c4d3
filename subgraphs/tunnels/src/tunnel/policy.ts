import { randomBytes, scrypt, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

import type { EdgePolicy } from '@sluice/schema/claims'
import { isEdgeHeader, type webhookProviders } from '@sluice/schema/edge-policy'
import { SluiceError } from '@sluice/schema/errors'

import { parseNetworks } from './network.ts'
import type { StoredWebhook, WebhookSecrets } from './policy-secret.ts'
import type { TunnelKind } from './tunnel.entity.ts'

/** What is stored of a policy. In the agent token the bandwidth stands beside the rest, and the webhook's secret is open. */
export type StoredPolicy = Omit<EdgePolicy, 'webhook'> & {
  bandwidthBytesPerSecond?: number
  webhook?: StoredWebhook
}

type Given<T> = T | null | undefined

interface HeaderChangesInput {
  add?: Given<readonly { name: string; value: string }[]>
  remove?: Given<readonly string[]>
}

/** What a member writes. Passwords become verifiers and are forgotten; a secret that is left out stays what it was. */
export interface TunnelPolicyInput {
  basicAuth?: Given<readonly { user: string; password?: Given<string> }[]>
  allowIps?: Given<readonly string[]>
  denyIps?: Given<readonly string[]>
  requestRate?: Given<{ perSecond: number; burst?: Given<number> }>
  bandwidthBytesPerSecond?: Given<number>
  requestHeaders?: Given<HeaderChangesInput>
  responseHeaders?: Given<HeaderChangesInput>
  compression?: Given<boolean>
  webhook?: Given<{ provider: (typeof webhookProviders)[number]; secret?: Given<string> }>
  visitorCa?: Given<string>
}

const basicAuthUsersMax = 50
const userCharactersMax = 128
const passwordCharactersMax = 256
const perSecondMax = 100_000
const burstMax = 1_000_000
const bandwidthMin = 8_192
const headersMax = 50
const headerValueCharactersMax = 4_096
/** Of all added headers of a direction: they have to fit into a head beside the visitor's own. */
const addedBytesMax = 16_384
const secretCharactersMax = 512
const visitorCaCharactersMax = 16_384
/** The agent token carries the policy, and a relay reads no longer one. */
const policyBytesMax = 20_480
const hostHeaderCharactersMax = 260
const saltBytes = 16
/** About 50 ms and 16 MiB. A relay computes it once per password that a visitor sends. */
const scryptLogN = 14

/** A policy that was read and is right; given the kind of the tunnel, the stored policy, from which it takes the secrets that were left out, and who keeps secrets. */
export type PreparedPolicy = (
  kind: TunnelKind,
  stored: StoredPolicy,
  secrets: WebhookSecrets,
) => StoredPolicy

/** Reads a whole policy. Throws SLUICE_INPUT_INVALID with the value that is wrong. */
export async function parsePolicy(input: TunnelPolicyInput): Promise<PreparedPolicy> {
  const users = await parseUsers(input.basicAuth ?? [])
  const { webhook } = input
  if (typeof webhook?.secret === 'string') assertSecret(webhook.secret)
  const rest = definedOf({
    allowIps: listed(parseNetworks('allowIps', input.allowIps ?? [])),
    denyIps: listed(parseNetworks('denyIps', input.denyIps ?? [])),
    requestRate: parseRate(input.requestRate),
    bandwidthBytesPerSecond: parseBandwidth(input.bandwidthBytesPerSecond),
    requestHeaders: parseHeaders('requestHeaders', input.requestHeaders),
    responseHeaders: parseHeaders('responseHeaders', input.responseHeaders),
    compression: input.compression ? true : undefined,
    visitorCa: parseVisitorCa(input.visitorCa),
  })
  return (kind, stored, secrets) => {
    const basicAuth = listed(
      users.map(({ user, verifier }) => ({ user, verifier: verifier ?? verifierOf(stored, user) })),
    )
    const policy: StoredPolicy = {
      ...(basicAuth ? { basicAuth } : {}),
      ...rest,
      ...(webhook ? { webhook: webhookOf(webhook, stored, secrets) } : {}),
    }
    assertFits(kind, policy)
    if (Buffer.byteLength(JSON.stringify(policy)) > policyBytesMax) {
      fail(`the policy is larger than ${policyBytesMax} bytes in all.`)
    }
    return policy
  }
}

/** Parts that only HTTP can have. On another kind they would have no effect, and an owner who relies on one would be open. */
const httpOnly = [
  'basicAuth',
  'requestHeaders',
  'responseHeaders',
  'compression',
  'webhook',
  'visitorCa',
] as const

function assertFits(kind: TunnelKind, policy: StoredPolicy): void {
  const field = kind === 'http' ? undefined : httpOnly.find((one) => policy[one] !== undefined)
  if (field) fail(`${field} is for tunnels of HTTP: a ${kind} tunnel would be open all the same.`)
}

// A host with an optional port; a name of one label is fine, it is the developer's own network.
const hostForm = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** The `Host` that the upstream gets, or null for the visitor's own. */
export function parseHostHeader(value: string | null | undefined): string | null {
  if (value === null || value === undefined || value === '') return null
  if (value.length > hostHeaderCharactersMax || !hostForm.test(value)) {
    fail(`hostHeader: ${quoted(value)} is not a host with an optional port.`)
  }
  return value
}

async function parseUsers(users: NonNullable<TunnelPolicyInput['basicAuth']>) {
  if (users.length > basicAuthUsersMax) fail(`basicAuth has at most ${basicAuthUsersMax} users.`)
  if (new Set(users.map(({ user }) => user)).size < users.length)
    fail('basicAuth names a user twice.')
  for (const one of users) assertUser(one)
  const hashed: { user: string; verifier: string | null }[] = []
  // One after the other: many at once would hold up everything else that waits for the thread pool.
  for (const { user, password } of users) {
    hashed.push({ user, verifier: typeof password === 'string' ? await hash(password) : null })
  }
  return hashed
}

function assertUser({ user, password }: { user: string; password?: Given<string> }): void {
  // RFC 7617 §2: the first colon ends the user name; control characters are not allowed in either.
  if (user === '' || user.length > userCharactersMax || /[:\p{Cc}]/u.test(user)) {
    fail(
      `basicAuth: a user has 1 to ${userCharactersMax} characters, no colon and no control character.`,
    )
  }
  if (password === null || password === undefined) return
  if (password === '' || password.length > passwordCharactersMax || /\p{Cc}/u.test(password)) {
    fail(
      `basicAuth: the password of ${quoted(user)} must have 1 to ${passwordCharactersMax} characters and no control character.`,
    )
  }
}

/** `scrypt:<log2 N>:<salt hex>:<digest hex>`, r 8, p 1: what the edge compares with, and all that is stored. */
function hash(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const cost = { N: 2 ** scryptLogN, r: 8, p: 1 }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, cost, (error, digest) => {
      if (error) reject(error)
      else resolve(`scrypt:${scryptLogN}:${salt.toString('hex')}:${digest.toString('hex')}`)
    })
  })
}

function verifierOf({ basicAuth = [] }: StoredPolicy, user: string): string {
  const known = basicAuth.find((one) => one.user === user)
  return known ? known.verifier : fail(`basicAuth: ${quoted(user)} is new and needs a password.`)
}

function webhookOf(
  { provider, secret }: NonNullable<TunnelPolicyInput['webhook']>,
  { webhook: stored }: StoredPolicy,
  secrets: WebhookSecrets,
): StoredWebhook {
  const known = stored?.provider === provider ? stored : undefined
  if (typeof secret === 'string') return secrets.seal({ provider, secret }, known)
  return known ?? fail(`webhook: ${provider} needs its secret.`)
}

function assertSecret(secret: string): void {
  if (secret === '' || secret.length > secretCharactersMax || /\p{Cc}/u.test(secret)) {
    fail(`webhook: a secret has 1 to ${secretCharactersMax} characters and no control character.`)
  }
}

function parseRate(rate: TunnelPolicyInput['requestRate']): EdgePolicy['requestRate'] {
  if (!rate) return undefined
  const { perSecond } = rate
  if (!(perSecond > 0 && perSecond <= perSecondMax)) {
    fail(`requestRate: perSecond must be above 0 and at most ${perSecondMax}.`)
  }
  const burst = rate.burst ?? Math.max(1, Math.ceil(perSecond))
  if (!(burst >= 1 && burst <= burstMax)) fail(`requestRate: burst must be 1 to ${burstMax}.`)
  return { perSecond, burst }
}

function parseBandwidth(bytesPerSecond: Given<number>): number | undefined {
  if (bytesPerSecond === null || bytesPerSecond === undefined) return undefined
  if (bytesPerSecond < bandwidthMin)
    fail(`bandwidthBytesPerSecond must be at least ${bandwidthMin}.`)
  return bytesPerSecond
}

function parseHeaders(
  field: string,
  changes: Given<HeaderChangesInput>,
): EdgePolicy['requestHeaders'] {
  const add = (changes?.add ?? []).map(({ name, value }): [string, string] => {
    assertHeaderName(field, name)
    if (value.length > headerValueCharactersMax || /[^\t\P{Cc}]/u.test(value)) {
      fail(
        `${field}: the value of ${quoted(name)} has at most ${headerValueCharactersMax} characters and no control character.`,
      )
    }
    return [name, value.trim()]
  })
  const remove = (changes?.remove ?? []).map((name) => {
    assertHeaderName(field, name)
    return name
  })
  if (add.length > headersMax || remove.length > headersMax) {
    fail(`${field} adds and removes at most ${headersMax} each.`)
  }
  if (add.reduce((sum, pair) => sum + Buffer.byteLength(pair.join()) + 3, 0) > addedBytesMax) {
    fail(`${field} adds at most ${addedBytesMax} bytes in all.`)
  }
  if (add.length + remove.length === 0) return undefined
  return definedOf({ add: listed(add), remove: listed(remove) })
}

function assertHeaderName(field: string, name: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name)) {
    fail(`${field}: ${quoted(name)} is not the name of a header.`)
  }
  if (isEdgeHeader(name)) fail(`${field}: the edge itself sets ${name}, or it ends there.`)
}

function parseVisitorCa(pem: Given<string>): string | undefined {
  const text = pem?.trim() ?? ''
  if (text === '') return undefined
  const blocks = text.match(/-----BEGIN (CERTIFICATE|X509 CRL)-----[^-]+-----END \1-----/g) ?? []
  const lists = blocks.filter((one) => one.startsWith('-----BEGIN X509 CRL'))
  const certificates = blocks.filter((one) => !lists.includes(one))
  const isRead =
    certificates.length > 0 && certificates.every(isCertificate) && lists.every(isRevocationList)
  if (!isRead || text.length > visitorCaCharactersMax) {
    fail(
      `visitorCa takes PEM certificates, and revocation lists beside them, of at most ${visitorCaCharactersMax} characters.`,
    )
  }
  return blocks.join('\n')
}

function isRevocationList(pem: string): boolean {
  try {
    createSecureContext({ crl: pem })
    return true
  } catch {
    return false
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca
  } catch {
    return false
  }
}

/** Without what is undefined: the stored policy holds what was asked for, and nothing else. */
function definedOf<T extends object>(fields: T) {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> }
}

function listed<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined
}

/** Input in a message, short enough to be read. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64))
}

function fail(reason: string): never {
  throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
}
