import { readFileSync } from 'node:fs'

import { SluiceError } from '@sluice/schema/errors'
import type { ProxyProtocolVersion, UpstreamProtocol } from '@sluice/wire'

import { findNetwork } from './network.ts'
import { policyExtras, type PolicyExtras, type PolicyFlags } from './policy-flags.ts'

export interface HttpFlags extends PolicyFlags {
  readonly name?: string
  readonly basicAuth?: readonly string[]
  readonly allowIp?: readonly string[]
  readonly denyIp?: readonly string[]
  readonly hostHeader?: string
  readonly region?: string
  readonly pooling?: boolean
  readonly allowTarget?: readonly string[]
  readonly inspectPort?: number
  /** Commander’s form of `--no-inspect`. */
  readonly inspect?: boolean
  readonly upstreamProtocol?: UpstreamProtocol
  readonly proxyProtocol?: ProxyProtocolVersion
}

export interface BasicAuth {
  readonly user: string
  readonly password: string
}

/** The graph's `StartTunnelInput`. */
export interface StartTunnelInput {
  readonly name?: string
  /** Absent: HTTP. */
  readonly kind?: 'TCP' | 'TLS' | 'UDP'
  /** The public port; absent: a free one. */
  readonly port?: number
  readonly region?: string
  /** Serves together with other agents that say so. */
  readonly pooling?: boolean
  readonly hostHeader?: string
  readonly policy?: PolicyExtras & {
    readonly basicAuth: readonly BasicAuth[]
    readonly allowIps: readonly string[]
    readonly denyIps: readonly string[]
  }
}

const basicAuthFileBytesMax = 16 * 1024
const headerValueForm = /^[A-Za-z0-9._:[\]-]{1,255}$/

/** The PROXY protocol says who the visitor of a connection is, and HTTP/2 upstreams have one for all visitors. */
export function assertConnections(
  proxyProtocol: ProxyProtocolVersion | undefined,
  upstream: { readonly protocol?: UpstreamProtocol },
): void {
  if (proxyProtocol === undefined || upstream.protocol !== 'http2') return
  throw usage('--proxy-protocol needs a connection for each request, which HTTP/2 does not have.')
}

/** The flags of `sluice http` as the graph takes them. A policy is sent only when a flag sets one. */
export function startTunnelInput(flags: HttpFlags, env: NodeJS.ProcessEnv): StartTunnelInput {
  const basicAuth = (flags.basicAuth ?? []).flatMap((text) => readBasicAuth(text, env))
  const allowIps = (flags.allowIp ?? []).map((text) => parseNetwork('--allow-ip', text))
  const denyIps = (flags.denyIp ?? []).map((text) => parseNetwork('--deny-ip', text))
  const extras = policyExtras(flags, env)
  const hasPolicy =
    basicAuth.length + allowIps.length + denyIps.length + Object.keys(extras).length > 0
  if (flags.hostHeader !== undefined && !headerValueForm.test(flags.hostHeader)) {
    throw usage('--host-header takes preserve, rewrite, or a host name.')
  }
  return {
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.region === undefined ? {} : { region: flags.region }),
    ...(flags.pooling === true ? { pooling: true } : {}),
    ...(flags.hostHeader === undefined ? {} : { hostHeader: flags.hostHeader }),
    ...(hasPolicy ? { policy: { basicAuth, allowIps, denyIps, ...extras } } : {}),
  }
}

/** `user:password`, or where it stands: `@file` (one per line) or `env:NAME`. Never repeated in a message. */
function readBasicAuth(text: string, env: NodeJS.ProcessEnv): BasicAuth[] {
  if (text.startsWith('@')) {
    const lines = readBasicAuthFile(text.slice(1)).split(/\r?\n/)
    return lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseBasicAuth)
  }
  if (text.startsWith('env:')) {
    const name = text.slice('env:'.length)
    const value = env[name]
    if (!value) throw usage(`--basic-auth env:${name}: the variable is not set.`)
    return [parseBasicAuth(value)]
  }
  return [parseBasicAuth(text)]
}

function readBasicAuthFile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw usage(`--basic-auth @${path}: the file cannot be read.`, error)
  }
  if (text.length > basicAuthFileBytesMax)
    throw usage(`--basic-auth @${path}: the file is too large.`)
  return text
}

function parseBasicAuth(text: string): BasicAuth {
  const colon = text.indexOf(':')
  if (colon < 1 || colon === text.length - 1) {
    throw usage('--basic-auth takes user:password, @file or env:NAME.')
  }
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** An address or a CIDR block. */
function parseNetwork(flag: string, text: string): string {
  if (findNetwork(text)) return text
  throw usage(`${flag} takes an address or a block such as 203.0.113.0/24, not ${text}.`)
}

function usage(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE_USAGE', { reason, command: 'http' }, { cause })
}
