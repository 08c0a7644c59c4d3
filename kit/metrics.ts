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
  /** A look that fails is an answer too; thrown in a request it would end the process. */
  const notReady = async () => {
    try {
      return await options.notReady()
    } catch {
      return 'whether it is ready could not be told'
    }
  }
  async function answer(url: string): Promise<[number, string, string]> {
    if (url === '/metrics')
      return [200, options.metrics.contentType, await options.metrics.metrics()]
    if (url === '/healthz') return [200, 'text/plain', 'ok\n']
    if (url !== '/readyz') return [404, 'text/plain', 'not found\n']
    const reason = await notReady()
    return reason === null ? [200, 'text/plain', 'ready\n'] : [503, 'text/plain', `${reason}\n`]
  }
  return listen(server, options.port, options.host)
}

/** How long requests under way may take once a part closes. Its supervisor waits longer before it kills. */
const defaultCloseGraceMs = 5_000
/** Connections become idle while a server closes, and would keep it open until their client gives them up. */
const closeIdleEveryMs = 50

/**
 * Listens and resolves with the port in use. Rejects when it is taken. Closing takes nothing new, lets requests under way
 * end, and cuts what is left after `closeGraceMs`.
 */
export async function listen(
  server: Server,
  port: number,
  host = '127.0.0.1',
  closeGraceMs = defaultCloseGraceMs,
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
        const cutting = setTimeout(() => server.closeAllConnections(), closeGraceMs)
        const idling = setInterval(() => server.closeIdleConnections(), closeIdleEveryMs)
        server.close(() => {
          clearTimeout(cutting)
          clearInterval(idling)
          resolve()
        })
      }),
  }
}
