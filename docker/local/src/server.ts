import { createServer as createBillingWorker } from '@sluice/billing-worker/server'
import { createServer as createBilling } from '@sluice/billing/server'
import { createServer as createCertificatesWorker } from '@sluice/certificates-worker/server'
import { createServer as createDomains } from '@sluice/domains/server'
import { createServer as createGateway } from '@sluice/gateway/server'
import { createServer as createIdentity } from '@sluice/identity/server'
import {
  createServer as createInspectorWorker,
  type InspectorWorkerOptions,
} from '@sluice/inspector-worker/server'
import { type Closer, opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import type { ObjectStoreSettings } from '@sluice/kit/object-store'
import { publicJwksOf } from '@sluice/kit/signing-keys'
import { createServer as createTunnels } from '@sluice/tunnels/server'

import type { LocalConfig } from './config.ts'
import { relayKeyHash, type Secrets } from './secrets.ts'

export interface PlatformOptions {
  databaseUrl: string
  redisUrl: string
  objectStore: ObjectStoreSettings
  secrets: Secrets
  /** Null: mails are kept for the admin to read. */
  mail: { smtpUrl: string; from: string } | null
  /** Clients at Google and GitHub. */
  social?: LocalConfig['social']
  consoleDist: string
  /** Apex of the tunnels' endpoint hosts. */
  apex: string
  /** Public ports of TCP tunnels, and of UDP tunnels. */
  tunnelPorts: { readonly first: number; readonly last: number }
  ports: {
    console: number
    http: number
    https: number
    gatewayMetrics: number
    billingWorker: number
    certificatesWorker: number
    inspectorWorker: number
  }
  log: Log
  /** Told of each part as soon as it is ready. */
  onReady: (part: string) => void
}

export interface Platform {
  /** Where the gateway listens. */
  port: number
  /** The first admin's sign-in, on the start that made it. */
  firstAdmin: { email: string; password: string } | null
  close(): Promise<void>
}

/** Keys that sign sign-ins and agent tokens get no older. */
const signingKeyDays = 90

/** Gateway, four subgraphs and three workers in one process. */
export function createPlatform(options: PlatformOptions): Promise<Platform> {
  const { databaseUrl, redisUrl, objectStore, secrets, ports, apex } = options
  return opening(async (closer: Closer) => {
    const internalPublicJwks = publicJwksOf(secrets.internalJwks)
    const consoleOrigin = `http://localhost:${ports.console}`
    const cnameTarget = `edge.${apex}`
    const log = (part: string) => options.log.child({ part })
    const common = { databaseUrl, redisUrl, internalPublicJwks, port: 0 }
    // On a laptop webhooks are received by the machine itself.
    const webhooks = {
      webhookKeys: [{ id: 'local', key: Buffer.from(secrets.webhookKey, 'base64') }],
      allowPrivateWebhooks: true,
    }
    const started: Started = async (part, open) => {
      const server = closer.add(await open)
      options.onReady(part)
      return server
    }

    const [identity, tunnels, domains, billing] = await Promise.all([
      started(
        'identity',
        createIdentity({
          ...common,
          signingJwks: secrets.signingJwks,
          signingKeyDays,
          auditJwks: secrets.auditJwks,
          objectStore,
          // One's own machine: what listens on it may be named.
          allowPrivateAddresses: true,
          consoleOrigin,
          sealingKeys: [{ id: 'local', key: Buffer.from(secrets.secondFactorKey, 'base64') }],
          mail: options.mail,
          ...(options.social && { social: options.social }),
          log: log('identity'),
        }),
      ),
      started(
        'tunnels',
        createTunnels({
          ...common,
          signingJwks: secrets.signingJwks,
          objectStore,
          ...webhooks,
          publicTunnelUrls: {
            http: `http://${apex}:${ports.http}`,
            https: `https://${apex}:${ports.https}`,
          },
          // One's own machine: no plan to ask.
          tunnelPorts: {
            tcp: options.tunnelPorts,
            udp: options.tunnelPorts,
            forAllPlans: true,
          },
          log: log('tunnels'),
        }),
      ),
      started(
        'domains',
        createDomains({
          ...common,
          cnameTarget,
          ownApexes: [apex, 'localhost'],
          sealingKeys: [{ id: 'local', key: Buffer.from(secrets.certificateKey, 'base64') }],
          log: log('domains'),
        }),
      ),
      started('billing', createBilling({ ...common, log: log('billing') })),
    ])
    const url = ({ port }: { port: number }) => `http://127.0.0.1:${port}`
    const [gateway] = await Promise.all([
      started(
        'gateway',
        createGateway({
          port: ports.console,
          metricsPort: ports.gatewayMetrics,
          subgraphs: {
            identity: url(identity),
            tunnels: url(tunnels),
            domains: url(domains),
            billing: url(billing),
          },
          identityUrl: url(identity),
          internalSigningJwks: secrets.internalJwks,
          redisUrl,
          consoleOrigin,
          consoleDist: options.consoleDist,
          documents: 'any',
          relayKeyHashes: [relayKeyHash(secrets.relayKey)],
          log: log('gateway'),
        }),
      ),
      startWorkers(options, started, { cnameTarget, webhooks }),
    ])
    return { port: gateway.port, firstAdmin: identity.firstAdmin, close: () => closer.close() }
  })
}

type Started = <T extends { close(): Promise<void> }>(part: string, open: Promise<T>) => Promise<T>

async function startWorkers(
  { databaseUrl, redisUrl, objectStore, ports, log: root }: PlatformOptions,
  started: Started,
  {
    cnameTarget,
    webhooks,
  }: {
    cnameTarget: string
    webhooks: Pick<InspectorWorkerOptions, 'webhookKeys' | 'allowPrivateWebhooks'>
  },
): Promise<void> {
  const log = (part: string) => root.child({ part })
  await Promise.all([
    started(
      'worker billing',
      createBillingWorker({
        databaseUrl,
        redisUrl,
        port: ports.billingWorker,
        log: log('worker-billing'),
      }),
    ),
    started(
      'worker certificates',
      createCertificatesWorker({
        databaseUrl,
        redisUrl,
        cnameTarget,
        // On a laptop custom domains lead to the relay of this machine.
        allowPrivateTargets: true,
        tlsPort: ports.https,
        port: ports.certificatesWorker,
        log: log('worker-certificates'),
      }),
    ),
    started(
      'worker inspector',
      createInspectorWorker({
        databaseUrl,
        redisUrl,
        objectStore,
        ...webhooks,
        port: ports.inspectorWorker,
        log: log('worker-inspector'),
      }),
    ),
  ])
}
