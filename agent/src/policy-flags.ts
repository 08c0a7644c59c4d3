import { readFileSync } from 'node:fs'

import { isEdgeHeader, webhookProviders } from '@sluice/schema/edge-policy'
import { SluiceError } from '@sluice/schema/errors'

/** Options of `sluice http` that say what the edge limits, changes and verifies. */
export interface PolicyFlags {
  readonly rateLimit?: string
  readonly bandwidth?: string
  readonly requestHeader?: readonly string[]
  readonly responseHeader?: readonly string[]
  readonly removeRequestHeader?: readonly string[]
  readonly removeResponseHeader?: readonly string[]
  readonly compress?: boolean
  readonly verifyWebhook?: string
  readonly visitorCa?: string
}

interface HeaderChanges {
  readonly add: readonly { readonly name: string; readonly value: string }[]
  readonly remove: readonly string[]
}

/** Part of the graph's `TunnelPolicyInput`. */
export interface PolicyExtras {
  readonly requestRate?: { readonly perSecond: number; readonly burst?: number }
  readonly bandwidthBytesPerSecond?: number
  readonly requestHeaders?: HeaderChanges
  readonly responseHeaders?: HeaderChanges
  readonly compression?: boolean
  readonly webhook?: { readonly provider: string; readonly secret: string }
  readonly visitorCa?: string
}

export const webhookSecretVariable = 'SLUICE_WEBHOOK_SECRET'

const secretBytesMax = 4_096
const visitorCaBytesMax = 16_384
const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 }
const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  k: 1_000,
  m: 1_000_000,
  g: 1_000_000_000,
}

/** What the flags set; a flag that is not given sets nothing. */
export function policyExtras(flags: PolicyFlags, env: NodeJS.ProcessEnv): PolicyExtras {
  const { rateLimit, bandwidth, compress, verifyWebhook, visitorCa } = flags
  const request = headerChanges('request', flags.requestHeader, flags.removeRequestHeader, env)
  const response = headerChanges('response', flags.responseHeader, flags.removeResponseHeader, env)
  return {
    ...(rateLimit === undefined ? {} : { requestRate: parseRate(rateLimit) }),
    ...(bandwidth === undefined ? {} : { bandwidthBytesPerSecond: parseBandwidth(bandwidth) }),
    ...(request ? { requestHeaders: request } : {}),
    ...(response ? { responseHeaders: response } : {}),
    ...(compress === undefined ? {} : { compression: compress }),
    ...(verifyWebhook === undefined ? {} : { webhook: parseWebhook(verifyWebhook, env) }),
    ...(visitorCa === undefined ? {} : { visitorCa: readVisitorCa(visitorCa) }),
  }
}

/** Whether the signing secret has to be asked for: it stands in no variable. */
export function needsWebhookSecret(
  { verifyWebhook }: PolicyFlags,
  env: NodeJS.ProcessEnv,
): boolean {
  return verifyWebhook !== undefined && !verifyWebhook.includes('=') && !env[webhookSecretVariable]
}

/** `50/s`, `100/m`, `1000/h`, and behind a colon how many at once: `50/s:100`. */
function parseRate(text: string) {
  const match = /^(\d{1,7}(?:\.\d{1,3})?)\/([smh])(?::(\d{1,7}))?$/.exec(text)
  const [, count = '0', unit = 's', burst] = match ?? []
  const perSecond = Number(count) / (unitSeconds[unit] ?? 1)
  if (!match || perSecond <= 0)
    throw usage(
      '--rate-limit takes requests per second, minute or hour: 50/s, 100/m, or 50/s:200 with a burst.',
    )
  return { perSecond, ...(burst === undefined ? {} : { burst: Number(burst) }) }
}

/** Bytes per second: `500kb`, `10mb`, `1gb`. */
function parseBandwidth(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?) ?([kmg]?)b?(?:\/s)?$/i.exec(text)
  const bytes = Math.round(
    Number(match?.[1] ?? 0) * (unitBytes[(match?.[2] ?? '').toLowerCase()] ?? 1),
  )
  if (!match || bytes < 1) throw usage('--bandwidth takes bytes per second: 500kb, 10mb, 1gb.')
  return bytes
}

function headerChanges(
  side: 'request' | 'response',
  added: readonly string[] = [],
  removed: readonly string[] = [],
  env: NodeJS.ProcessEnv,
): HeaderChanges | undefined {
  if (added.length + removed.length === 0) return undefined
  const add = added.map((text) => {
    const colon = text.indexOf(':')
    const name = text.slice(0, Math.max(0, colon)).trim()
    assertName(`--${side}-header takes 'Name: value'`, name)
    return { name, value: valueOf(text.slice(colon + 1).trim(), `--${side}-header ${name}`, env) }
  })
  for (const name of removed) assertName(`--remove-${side}-header takes a name`, name)
  return { add, remove: removed }
}

function assertName(takes: string, name: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name)) throw usage(`${takes}.`)
  if (isEdgeHeader(name)) throw usage(`${takes}; the edge itself sets ${name}, or it ends there.`)
}

/** A value as it is, or `env:NAME` for one that nobody should read in the process list. */
function valueOf(text: string, flag: string, env: NodeJS.ProcessEnv): string {
  if (!text.startsWith('env:')) return text
  const name = text.slice('env:'.length)
  const value = env[name]
  if (value === undefined) throw usage(`${flag}: the variable ${name} is not set.`)
  return value
}

/** `stripe`, `stripe=env:NAME` or `stripe=@file`. A secret never stands in the command line itself. */
function parseWebhook(text: string, env: NodeJS.ProcessEnv) {
  const [provider = '', ...rest] = text.split('=')
  if (!webhookProviders.some((one) => one === provider)) {
    throw usage(`--verify-webhook takes one of ${webhookProviders.join(', ')}.`)
  }
  const place = rest.length === 0 ? `env:${webhookSecretVariable}` : rest.join('=')
  const secret = secretAt(place, env).trim()
  if (secret === '') throw usage(`--verify-webhook ${provider}: the secret in ${place} is empty.`)
  return { provider: provider.toUpperCase(), secret }
}

function secretAt(place: string, env: NodeJS.ProcessEnv): string {
  if (place.startsWith('env:')) {
    const secret = env[place.slice('env:'.length)]
    if (secret !== undefined) return secret
    throw usage(`--verify-webhook: put the signing secret into ${place.slice('env:'.length)}.`)
  }
  if (!place.startsWith('@')) {
    throw usage('--verify-webhook takes the secret as PROVIDER=env:NAME or PROVIDER=@file.')
  }
  try {
    return readFileSync(place.slice(1), 'utf8').slice(0, secretBytesMax)
  } catch (error) {
    throw usage(`--verify-webhook ${place}: the file cannot be read.`, error)
  }
}

/** Certificates of authorities, as PEM in a file. */
function readVisitorCa(path: string): string {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    throw usage(`--visitor-ca ${path}: the file cannot be read.`, error)
  }
  if (!pem.includes('-----BEGIN CERTIFICATE-----') || pem.length > visitorCaBytesMax) {
    throw usage(
      `--visitor-ca ${path}: the file must hold PEM certificates, at most ${visitorCaBytesMax} bytes.`,
    )
  }
  return pem
}

function usage(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE_USAGE', { reason, command: 'http' }, { cause })
}
