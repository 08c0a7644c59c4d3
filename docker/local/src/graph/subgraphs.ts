import { randomBytes } from 'node:crypto'

import { createServer as createBilling } from '@sluice/billing/server'
import { createServer as createDomains } from '@sluice/domains/server'
import { createServer as createIdentity } from '@sluice/identity/server'
import type { SubgraphName } from '@sluice/kit/internal-token'
import type { Log } from '@sluice/kit/log'
import type { SealingKey } from '@sluice/kit/sealer'
import { generatePrivateJwks, publicJwksOf, type PrivateJwks } from '@sluice/kit/signing-keys'
import { createServer as createTunnels } from '@sluice/tunnels/server'

type FirstAdmin = { email: string; password: string }

/** The four subgraphs, each of which can be ended and started again where it was. */
export interface Subgraphs extends AsyncDisposable {
  readonly urls: Readonly<Record<SubgraphName, string>>
  readonly firstAdmin: FirstAdmin
  /** Ends one: its port answers nobody. */
  stop(name: SubgraphName): Promise<void>
  /** Starts one; tells the first admin's sign-in if that was made. */
  start(name: SubgraphName): Promise<FirstAdmin | null>
}

const names = ['identity', 'tunnels', 'domains', 'billing'] as const

export async function openSubgraphs(options: {
  databaseUrl: string
  redisUrl: string
  internalJwks: PrivateJwks
  consoleOrigin: string
  /** Nobody answers at the one that is asked if left out. */
  dnsServers?: readonly string[]
  webhookKeys: readonly SealingKey[]
  log: Log
}): Promise<Subgraphs> {
  const { databaseUrl, redisUrl, consoleOrigin, log } = options
  const internalPublicJwks = publicJwksOf(options.internalJwks)
  const sealingKey = randomBytes(32)
  const signingJwks = await generatePrivateJwks(2)
  // What DNS says is shown in the tests of domains.
  const dnsServers = options.dnsServers ?? ['127.0.0.1:9']
  const ports: Partial<Record<SubgraphName, number>> = {}
  const running = new Map<SubgraphName, { port: number; close(): Promise<void> }>()

  const open = (name: SubgraphName) => {
    const port = ports[name] ?? 0
    const common = { databaseUrl, redisUrl, internalPublicJwks, port, log }
    const sealingKeys = [{ id: 'test', key: sealingKey }]
    if (name === 'identity') {
      return createIdentity({
        ...common,
        signingJwks,
        consoleOrigin,
        sealingKeys,
        dnsServers,
        // Identity providers of tests are on this machine.
        allowPrivateAddresses: true,
      })
    }
    if (name === 'tunnels') {
      const webhooks = { webhookKeys: options.webhookKeys, allowPrivateWebhooks: true }
      return createTunnels({ ...common, ...webhooks, signingJwks })
    }
    if (name === 'billing') return createBilling(common)
    const cnameTarget = 'edge.tunnel.localhost'
    return createDomains({
      ...common,
      cnameTarget,
      ownApexes: ['localhost'],
      dnsServers: [...dnsServers],
      sealingKeys,
    })
  }
  const start: Subgraphs['start'] = async (name) => {
    const server = await open(name)
    ports[name] = server.port
    running.set(name, server)
    return 'firstAdmin' in server ? server.firstAdmin : null
  }
  const stop: Subgraphs['stop'] = async (name) => {
    await running.get(name)?.close()
    running.delete(name)
  }
  const stopAll = async () => void (await Promise.all(names.map((name) => stop(name))))

  const [firstAdmin] = await Promise.all(names.map((name) => start(name)))
  if (!firstAdmin) {
    await stopAll()
    throw new TypeError('the first start made no admin')
  }
  const urlOf = (name: SubgraphName) => `http://127.0.0.1:${ports[name]}`
  const urls = {
    identity: urlOf('identity'),
    tunnels: urlOf('tunnels'),
    domains: urlOf('domains'),
    billing: urlOf('billing'),
  }
  return { urls, firstAdmin, stop, start, [Symbol.asyncDispose]: stopAll }
}
