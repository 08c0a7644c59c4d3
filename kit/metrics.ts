import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Registry, collectDefaultMetrics } from 'prom-client'

/** A registry of one part, with the process figures when it is the only part of its process. */
export function createMetrics(part: string, options: { processFigures?: boolean } = {}): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ part })
  if (options.processFigures) collectDefaultMetrics({ register: registry })
  return registry
}

/** Answers `/metrics`, `/healthz` (alive) and `/readyz` (503 with the reason until ready) on a port of its own. */
export async function openAdminServer(options: {
  port: number
  host?: string
  metrics: Registry
  /** Returns why the part is not ready, or null. */
  notReady: () => string | null | Promise<string | null>
}): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '/').then(([status, type, body]) => {
      response.writeHead(status, { 'content-type': type }).end(body)
    })
  })
  async function answer(url: string): Promise<[number, string, string]> {
    if (url === '/metrics')
      return [200, options.metrics.contentType, await options.metrics.metrics()]
    if (url === '/healthz') return [200, 'text/plain', 'ok\n']
    if (url !== '/readyz') return [404, 'text/plain', 'not found\n']
    const reason = await options.notReady()
    return reason === null ? [200, 'text/plain', 'ready\n'] : [503, 'text/plain', `${reason}\n`]
  }
  return listen(server, options.port, options.host)
}

/** Listens and resolves with the port in use. Rejects when it is taken. */
export async function listen(
  server: Server,
  port: number,
  host = '127.0.0.1',
): Promise<{ port: number; close(): Promise<void> }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
