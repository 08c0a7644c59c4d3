import type { Log } from '@sluice/kit/log'
import type { ChannelHub } from '@sluice/kit/redis'
import { relayOperations } from '@sluice/schema/operations/relay'
import { CertificateChange, redisChannels } from '@sluice/schema/redis'
import type { Registry } from 'prom-client'
import { z } from 'zod'

import { selfSigned } from '../edge/self-signed.ts'
import { askGraph } from '../graph.ts'
import { readCertificate, type Certificate } from './certificate.ts'
import { createCertificates, type Certificates } from './certificates.ts'
import {
  openFetchedCertificates,
  type FetchCertificate,
  type FetchedCertificates,
} from './fetched-certificates.ts'
import { openStaticCertificates, type CertificateFiles } from './static-certificates.ts'
import type { HandshakeResult, TlsLimits } from './tls-listener.ts'
import { openTlsMetrics } from './tls-metrics.ts'

export interface TlsOptions {
  readonly apex: string
  /** The relay's own: for every name that no other certificate covers. */
  readonly certificate?: Certificate | CertificateFiles
  /** A folder of more certificates. */
  readonly certificatesDirectory?: string
  /** Makes the relay's own certificate where none is given. No browser trusts it. */
  readonly selfSigned?: boolean
  readonly tlsLimits?: Partial<TlsLimits>
  /** Undefined: certificates of custom domains come from files alone. */
  readonly registration?: { readonly gatewayUrl: string; readonly relayKey: string }
  /** Undefined: a changed certificate is noticed after some minutes. */
  readonly hub?: ChannelHub | undefined
  readonly log: Log
}

export interface Tls {
  readonly certificates: Certificates
  readonly limits: TlsLimits
  readonly onHandshake: (result: HandshakeResult) => void
  /** Reads changed files now. */
  reload(): Promise<void>
  close(): void
}

const tlsLimits: TlsLimits = {
  helloTimeoutMs: 3_000,
  handshakeTimeoutMs: 10_000,
  handshakesPerAddressMax: 250,
}

const CertificateAnswer = z.object({
  relayCertificate: z.object({ chain: z.string(), privateKey: z.string() }).nullable(),
})

/** Everything the edge needs for TLS: certificates by name, and limits. */
export async function openTls(
  options: TlsOptions,
  registry: Registry,
  isKnown: (domain: string) => Promise<boolean>,
): Promise<Tls> {
  const { apex, log, registration } = options
  const files = await openStaticCertificates({
    own: ownOf(options),
    directory: options.certificatesDirectory,
    log,
  })
  if (!files.own) {
    log.warn('no certificate for the apex: HTTPS is refused for names without one of their own')
  }
  const fetched = registration
    ? openFetchedCertificates({ fetch: fetchFrom(registration), isKnown, log })
    : undefined
  if (fetched && options.hub) listen(options.hub, log, fetched)
  return {
    certificates: createCertificates({ files, fetched, apex }),
    limits: { ...tlsLimits, ...options.tlsLimits },
    onHandshake: openTlsMetrics(registry, () => files.all()),
    reload: () => files.reload(),
    close() {
      files.close()
      fetched?.close()
    },
  }
}

function ownOf({ certificate, selfSigned: makesOne, apex }: TlsOptions) {
  if (certificate && 'certPath' in certificate) return certificate
  if (certificate) return readCertificate(certificate)
  return makesOne ? readCertificate(selfSigned(apex)) : undefined
}

function fetchFrom(gateway: NonNullable<TlsOptions['registration']>): FetchCertificate {
  const operation = { operationName: 'RelayCertificate', query: relayOperations.relayCertificate }
  return async (domain, signal) => {
    const data = await askGraph(gateway, { ...operation, variables: { domain } }, signal)
    const { relayCertificate } = CertificateAnswer.parse(data)
    if (!relayCertificate) return undefined
    return readCertificate({ cert: relayCertificate.chain, key: relayCertificate.privateKey })
  }
}

/** Announcements may be lost: an answer is asked for again by its age, too. */
function listen(hub: ChannelHub, log: Log, fetched: FetchedCertificates): void {
  hub
    .subscribe(redisChannels.certificates, (message) => {
      const change = CertificateChange.safeParse(parseJson(message))
      if (change.success) fetched.changed(change.data.domain)
      else log.warn('an announcement of a certificate could not be read')
    })
    .catch((error: unknown) => log.warn({ err: error }, 'changes of certificates are not heard'))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Nothing that the schema takes.
    return undefined
  }
}
