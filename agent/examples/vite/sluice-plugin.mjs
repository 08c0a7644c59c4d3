import { listen } from '@sluice/agent'

/** Puts the development server of Vite on a public address for as long as it runs. */
export function sluice(options = {}) {
  return {
    name: 'sluice',
    apply: 'serve',
    configureServer({ config, httpServer }) {
      httpServer?.once('listening', async () => {
        try {
          // Vite serves only names that it knows: with its own name as Host it needs no list of them.
          const tunnel = await listen(httpServer, { hostHeader: 'rewrite', ...options })
          httpServer.once('close', () => void tunnel.close({ graceMs: 0 }))
          config.logger.info(`  Public: ${tunnel.url}`)
        } catch (error) {
          // Without a tunnel the work at home goes on.
          config.logger.error(`  No tunnel: ${error.message} ${error.fix ?? ''}`)
        }
      })
    },
  }
}
