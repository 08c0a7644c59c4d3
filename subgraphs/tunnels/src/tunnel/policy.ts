import { createHash, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'

import type { EdgePolicy } from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'

/** What a member writes; passwords become verifiers and are forgotten. */
export interface TunnelPolicyInput {
  basicAuth?: readonly { user: string; password: string }[] | null | undefined
  allowIps?: readonly string[] | null | undefined
  denyIps?: readonly string[] | null | undefined
}

const basicAuthUsersMax = 50
const networksMax = 200
const userCharactersMax = 128
const passwordCharactersMax = 256
const hostHeaderCharactersMax = 260
const saltBytes = 16

/** The policy as the edge checks it. Throws SLUICE_INPUT_INVALID with the value that is wrong. */
export function parsePolicy(input: TunnelPolicyInput): EdgePolicy {
  const users = input.basicAuth ?? []
  if (users.length > basicAuthUsersMax) fail(`basicAuth has at most ${basicAuthUsersMax} users.`)
  if (new Set(users.map(({ user }) => user)).size < users.length)
    fail('basicAuth names a user twice.')
  const allowIps = parseNetworks('allowIps', input.allowIps ?? [])
  const denyIps = parseNetworks('denyIps', input.denyIps ?? [])
  return {
    ...(users.length > 0 ? { basicAuth: users.map(parseUser) } : {}),
    ...(allowIps.length > 0 ? { allowIps } : {}),
    ...(denyIps.length > 0 ? { denyIps } : {}),
  }
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

/** `sha256:<salt hex>:<sha256(salt, password) hex>`: what the edge compares with, and all that is stored. */
function verifierOf(password: string, salt: Buffer = randomBytes(saltBytes)): string {
  const digest = createHash('sha256').update(salt).update(password, 'utf8').digest('hex')
  return `sha256:${salt.toString('hex')}:${digest}`
}

function parseUser({ user, password }: { user: string; password: string }) {
  // RFC 7617 §2: the first colon ends the user name; control characters are not allowed in either.
  if (user === '' || user.length > userCharactersMax || /[:\p{Cc}]/u.test(user)) {
    fail(
      `basicAuth: a user has 1 to ${userCharactersMax} characters, no colon and no control character.`,
    )
  }
  if (password === '' || password.length > passwordCharactersMax || /\p{Cc}/u.test(password)) {
    fail(
      `basicAuth: the password of ${quoted(user)} must have 1 to ${passwordCharactersMax} characters and no control character.`,
    )
  }
  return { user, verifier: verifierOf(password) }
}

function parseNetworks(field: string, networks: readonly string[]): string[] {
  if (networks.length > networksMax) fail(`${field} has at most ${networksMax} networks.`)
  return networks.map((text) => parseNetwork(field, text.trim()))
}

function parseNetwork(field: string, text: string): string {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = address.includes('%') ? 0 : isIP(address)
  if (version === 0 || rest.length > 0) {
    fail(`${field}: ${quoted(text)} is neither an IP address nor a CIDR block such as 10.0.0.0/8.`)
  }
  if (prefix === undefined) return address.toLowerCase()
  const prefixMax = version === 4 ? 32 : 128
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > prefixMax) {
    fail(`${field}: the prefix of ${quoted(text)} must be a number from 0 to ${prefixMax}.`)
  }
  return `${address.toLowerCase()}/${Number(prefix)}`
}

/** Input in a message, short enough to be read. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64))
}

function fail(reason: string): never {
  throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
}
