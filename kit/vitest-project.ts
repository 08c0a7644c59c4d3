import { fileURLToPath } from 'node:url'

import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** What `test-setup.ts` provides. Declared here, where the `vitest.config.ts` of every package imports it from. */
declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string
    redisUrl: string
  }
}

/** The vitest project of a server package: a private PostgreSQL and Redis, and one copy of graphql. */
export function serverTests(options: { engines?: boolean } = {}): ViteUserConfig {
  return defineConfig({
    // Vite would take graphql's `module` file while Node's own loader takes `main`: two copies break instanceof.
    resolve: {
      alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
    },
    test: {
      include: ['**/*.test.ts'],
      exclude: ['**/node_modules/**', '**/dist/**'],
      globalSetup: options.engines === false ? [] : [`${import.meta.dirname}/test-setup.ts`],
      testTimeout: 60_000,
      // What is waited for comes late on a busy machine; that it comes is the point.
      expect: { poll: { timeout: 15_000 } },
      hookTimeout: 120_000,
    },
  })
}
