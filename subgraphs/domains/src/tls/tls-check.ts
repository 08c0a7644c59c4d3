import { checkServerIdentity, connect, rootCertificates, type PeerCertificate } from 'node:tls'

import { openResolver, type DnsOptions } from '@sluice/kit/dns-proof'
import { printable } from '@sluice/kit/printable'

import type { TlsStatus } from '../domain/custom-domain.entity.ts'
import { addressesOf } from '../domain/dns-check.ts'
import { isPublicAddress } from './public-address.ts'

export interface TlsOptions extends DnsOptions {
  /** Where visitors reach the domain over TLS. */
  tlsPort: number
  /** Lets a probe connect to private and loopback addresses. For tests and development only. */
  allowPrivateTargets: boolean
  /** Certificates of authorities to trust besides the public ones, as PEM. */
  trustedAuthorities?: string | undefined
}

/** What a visitor's browser would find at a domain. */
export interface TlsCheck {
  status: TlsStatus
  expiresAt: Date | null
  issuer: string | null
  error: string | null
}

/** The whole probe of one domain, all its addresses together. */
const probeMsMax = 10_000
const addressesMax = 4
/** A share of the lifetime, not days: lifetimes shrink. Renewal is due at a third, so at a fifth it is late. */
const expiringAtLifeLeft = 1 / 5

/** Makes a TLS handshake with the domain as a visitor would, and judges the certificate at `now`. */
export async function checkTls(
  domain: string,
  options: TlsOptions,
  now: Date,
  signal: AbortSignal,
): Promise<TlsCheck> {
  const ends = AbortSignal.any([signal, AbortSignal.timeout(probeMsMax)])
  let addresses: string[]
  try {
    addresses = await lookUp(domain, options, ends)
  } catch {
    return unreachable('DNS did not answer')
  }
  if (addresses.length === 0) return unreachable('the domain has no address')

  // The address that was judged is the one connected to: a second lookup could answer differently.
  const targets = options.allowPrivateTargets ? addresses : addresses.filter(isPublicAddress)
  if (targets.length === 0) return unreachable('the domain leads to a private address')

  let problem = ''
  for (const address of targets.slice(0, addressesMax)) {
    try {
      return judge(domain, await handshake(domain, address, options, ends), now)
    } catch (error) {
      problem = describe(error)
      if (ends.aborted) break
    }
  }
  return unreachable(ends.aborted ? 'it did not answer in time' : problem)
}

async function lookUp(domain: string, options: TlsOptions, ends: AbortSignal): Promise<string[]> {
  const resolver = openResolver(options)
  const cancel = () => resolver.cancel()
  ends.addEventListener('abort', cancel, { once: true })
  try {
    return await addressesOf(resolver, domain)
  } finally {
    ends.removeEventListener('abort', cancel)
  }
}

interface Handshake {
  certificate: PeerCertificate
  /** Why a browser would not trust the chain, or null. */
  distrust: string | null
}

function handshake(
  domain: string,
  address: string,
  { tlsPort, trustedAuthorities }: TlsOptions,
  ends: AbortSignal,
): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port: tlsPort,
      servername: domain,
      // A bad certificate is a finding, not a failure. Nothing but the handshake is sent.
      rejectUnauthorized: false,
      ...(trustedAuthorities ? { ca: [...rootCertificates, trustedAuthorities] } : {}),
    })
    const abort = () => socket.destroy(new Error('aborted'))
    ends.addEventListener('abort', abort, { once: true })
    socket.once('secureConnect', () => {
      const { authorized, authorizationError } = socket
      const distrust = authorized ? null : String(authorizationError)
      resolve({ certificate: socket.getPeerCertificate(), distrust })
      socket.destroy()
    })
    socket.on('error', reject)
    socket.once('close', () => {
      ends.removeEventListener('abort', abort)
      reject(new Error('the connection was closed during the handshake'))
    })
    if (ends.aborted) abort()
  })
}

/** The first finding that a browser would complain about, the gravest first. */
function judge(domain: string, { certificate, distrust }: Handshake, now: Date): TlsCheck {
  const expiresAt = new Date(certificate.valid_to)
  const begins = new Date(certificate.valid_from)
  const issuer = textOf(certificate.issuer?.O ?? certificate.issuer?.CN)
  const found = (status: TlsStatus, error: string | null) => ({
    status,
    expiresAt,
    issuer: issuer === undefined ? null : printable(issuer, 200),
    error: error === null ? null : printable(error, 500),
  })

  if (Number.isNaN(expiresAt.getTime())) return unreachable('it shows no certificate')
  if (expiresAt <= now) return found('EXPIRED', 'the certificate has expired')
  const mismatch = checkServerIdentity(domain, certificate)
  if (mismatch) return found('MISMATCH', `the certificate is for other names: ${mismatch.message}`)
  if (distrust !== null) return found('MISMATCH', `the certificate is not trusted: ${distrust}`)
  const lifeMs = expiresAt.getTime() - begins.getTime()
  const leftMs = expiresAt.getTime() - now.getTime()
  return found(leftMs < lifeMs * expiringAtLifeLeft ? 'EXPIRING' : 'VALID', null)
}

function unreachable(error: string): TlsCheck {
  return { status: 'UNREACHABLE', expiresAt: null, issuer: null, error }
}

const sentences: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset during the handshake',
  EHOSTUNREACH: 'its network cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ETIMEDOUT: 'it did not answer in time',
}

/** A sentence without addresses, which people may read. */
function describe(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return sentences[code] ?? `the TLS handshake failed${code ? ` (${code})` : ''}`
}

/** A name in a certificate may hold several values. */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(', ')
  return typeof value === 'string' ? value : undefined
}
